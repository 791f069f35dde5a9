#!/usr/bin/env bash
# Find or make the environment that the other scripts of this folder run in.
#
#   . tools/setup_env.sh      # sets and exports PYTHON; or exits with a reason
#
# A Python that has torch, MMOCR and mmpretrain is used as it is: $PYTHON, the
# `python` of an activated environment, or a .venv made before. Otherwise the
# stack that is pinned here goes into .venv (or into $LMIM_VENV, which is then
# the only place looked at). It takes a minute and may be interrupted: what is
# half made is made anew the next time.
#
# On a machine without a GPU, pip may bring a torch with all of CUDA. Where a
# CPU build can be had, tell pip of it by its own means, e.g.
# PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS (see pytorch.org/get-started).

_lmim_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
_lmim_venv="${LMIM_VENV:-$_lmim_root/.venv}"
_lmim_stamp="$_lmim_venv/lmim-setup-complete"
_lmim_start=$SECONDS

# The measured stack. These are the only pins; requirements.txt and setup.py
# have ranges, so that what a user has is kept.
_lmim_torch=('torch==2.13.0' 'torchvision==0.28.0')
_lmim_torch_py39=('torch==2.8.0' 'torchvision==0.23.0')
_lmim_pins=('mmengine==0.10.7' 'mmcv-lite==2.0.1' 'mmdet==3.1.0'
    'mmocr==1.0.1' 'mmpretrain==1.2.0' 'lmdb' 'pillow' 'safetensors'
    'setuptools<81')

_lmim_say() { printf '[set-up %3d s] %s\n' $((SECONDS - _lmim_start)) "$*"; }

_lmim_die() { printf 'set-up: %s\n' "$*" >&2; exit 1; }

_lmim_has_stack() {  # PYTHON: do all the libraries import together?
    local reason
    reason="$("$1" - "$_lmim_root/projects/lmim/lmim" <<'PY' 2>&1
import importlib.util as util
import sys
import types
names = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'mmocr',
         'mmpretrain', 'lmdb', 'cv2', 'safetensors')
if any(util.find_spec(name) is None for name in names):
    sys.exit('absent')
# Only the work-arounds of lmim: a slip elsewhere in it is no reason to make
# another environment.
package = sys.modules['lmim'] = types.ModuleType('lmim')
package.__path__ = [sys.argv[1]]
from lmim import compat  # noqa: E402
compat.install()
import mmocr.models  # noqa: E402,F401
import mmpretrain  # noqa: E402,F401
PY
)" && return 0
    reason="${reason##*$'\n'}"
    case "$reason" in
    absent | *"not found"* | *"No such file"*) ;;
    *) _lmim_say "$1 is not used, its libraries do not import: $reason" ;;
    esac
    return 1
}

_lmim_is_ours() {  # is the folder a virtual environment made by this script?
    grep -q "^prompt = .lmim.$" "$_lmim_venv/pyvenv.cfg" 2>/dev/null
}

_lmim_find_python() {  # prints the first Python that the pins are made for
    local name
    for name in python3.11 python3.12 python3.10 python3.9 python3 python; do
        if "$name" -c 'import sys, venv, ensurepip
sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

_lmim_pip() {  # TITLE ARGUMENTS...: pip with a sign of life every 15 s
    local title="$1" log="$_lmim_venv/set-up.log" beat status=0
    shift
    _lmim_say "$title"
    # It ends with the script, and holds neither the lock nor the output.
    (while sleep 15 >/dev/null && kill -0 $$ 2>/dev/null; do
        _lmim_say "  still at it: $title"
    done) 2>/dev/null 9>&- &
    beat=$!
    "$_lmim_venv/bin/python" -m pip --disable-pip-version-check install \
        --progress-bar off "$@" >>"$log" 2>&1 || status=$?
    # Both fail by design, which must not end a caller that has `set -e`.
    kill "$beat" 2>/dev/null || true
    wait "$beat" 2>/dev/null || true
    if [ "$status" -ne 0 ]; then
        grep -v '^WARNING' "$log" | tail -n 15 >&2
        _lmim_die "pip could not install: $title. Its log: $log. Run the same
command again once the cause is mended; set-up starts over by itself."
    fi
}

_lmim_key() {  # what the environment was made from
    cat "${BASH_SOURCE[0]}" "$_lmim_root/setup.py" | cksum
    printf '%s\n' "$_lmim_root"
}

_lmim_make() {
    local base
    if [ -n "$(ls -A "$_lmim_venv" 2>/dev/null)" ] && ! _lmim_is_ours; then
        _lmim_die "$_lmim_venv exists, was not made here and lacks the stack.
Install requirements.txt into it, move it away, or set LMIM_VENV to another
folder."
    fi
    base="$(_lmim_find_python)" || _lmim_die "no Python 3.9 to 3.12 with venv
and pip was found. Install one (on Debian and Ubuntu: apt install python3
python3-venv), or activate an environment that has the stack."
    _lmim_say "making $_lmim_venv with $("$base" --version) (about 1 minute)"
    # Moved away in one step: a removal cut short must not look like a
    # folder that somebody else made.
    [ ! -e "$_lmim_venv" ] || mv "$_lmim_venv" "$_lmim_venv.old.$$"
    rm -rf "$_lmim_venv".old.*
    "$base" -m venv --prompt lmim "$_lmim_venv" \
        || _lmim_die "cannot make $_lmim_venv: is its folder writable?"
    _lmim_fill
}

_lmim_fill() {  # install what is pinned here
    local -a torch=("${_lmim_torch[@]}")
    "$_lmim_venv/bin/python" -c 'import sys
sys.exit(sys.version_info < (3, 10))' || torch=("${_lmim_torch_py39[@]}")
    # torch first and alone, so that a CPU build is taken where there is one.
    _lmim_pip "${torch[0]}" "${torch[0]}"
    _lmim_pip "MMOCR and its libraries" "${torch[@]}" "${_lmim_pins[@]}"
    _lmim_pip "lmim itself" --no-deps --no-build-isolation -e "$_lmim_root"
    _lmim_key >"$_lmim_stamp"   # last: without it the next run starts over
    _lmim_say "done"
}

_lmim_setup() {
    local name
    if [ -z "${LMIM_VENV:-}" ]; then
        for name in ${PYTHON:+"$PYTHON"} python python3; do
            if _lmim_has_stack "$name"; then
                PYTHON="$(command -v "$name")"
                return
            fi
        done
    fi
    # Two scripts started at once: the second waits, then finds it made.
    if command -v flock >/dev/null; then
        mkdir -p "$(dirname "$_lmim_venv")"
        exec 9>"$_lmim_venv.lock" && flock 9
    fi
    if _lmim_is_ours; then
        if _lmim_key | cmp -s - "$_lmim_stamp"; then
            :
        elif [ "$(tail -n 1 "$_lmim_stamp" 2>/dev/null)" = "$_lmim_root" ] \
            && _lmim_has_stack "$_lmim_venv/bin/python"; then
            # What else is in it stays.
            _lmim_say "bringing $_lmim_venv up to date"
            _lmim_fill
        else
            _lmim_make
        fi
    elif ! _lmim_has_stack "$_lmim_venv/bin/python"; then
        _lmim_make
    fi
    exec 9>&-
    PYTHON="$_lmim_venv/bin/python"
}

_lmim_setup
export PYTHON
# The package is found as it lies here, installed or not.
export PYTHONPATH="$_lmim_root/projects/lmim${PYTHONPATH:+:$PYTHONPATH}"
