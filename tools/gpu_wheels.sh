#!/usr/bin/env bash
# Fill a folder with the wheels that tools/gpu_report.sh installs on a machine
# without network: what lmim needs beside a torch and the usual libraries of
# science (NumPy, SciPy, OpenCV, matplotlib, scikit-image ...), which are there.
#
#   bash tools/gpu_wheels.sh [DIR]         # wheels, if no DIR is given
#
# PYTHON (python3) downloads them; they are for the Python and the machine that
# PYTHON_VERSION (3.12) and MACHINE (x86_64) name.
set -euo pipefail

folder="${1:-wheels}"
python="${PYTHON:-python3}"
version="${PYTHON_VERSION:-3.12}"
machine="${MACHINE:-x86_64}"

# The versions of tools/setup_env.sh.
pinned=('mmengine==0.10.7' 'mmcv-lite==2.0.1' 'mmdet==3.1.0' 'mmocr==1.0.1'
    'mmpretrain==1.2.0')
# What those need.
others=(addict imgaug importlib-metadata lazy-importer lmdb mat4py model-index
    modelindex ordered-set platformdirs pyclipper pycocotools rapidfuzz
    safetensors shapely termcolor terminaltables yapf zipp)

pip=("$python" -m pip --disable-pip-version-check)
platforms=()
for glibc in 39 35 34 31 28 27 24 17 12 5; do
    platforms+=(--platform "manylinux_2_${glibc}_$machine")
done
platforms+=(--platform "manylinux2014_$machine" --platform "linux_$machine")

mkdir -p "$folder"
for name in "${pinned[@]}" "${others[@]}"; do
    # What is published as source alone is of Python alone, and built here.
    "${pip[@]}" download -q --no-deps --only-binary=:all: -d "$folder" \
        --python-version "$version" --implementation cp "${platforms[@]}" \
        "$name" 2>/dev/null ||
        "${pip[@]}" wheel -q --no-deps -w "$folder" "$name" ||
        { echo "gpu_wheels: $name could not be had" >&2; exit 1; }
    echo "$name"
done

foreign="$(find "$folder" -name '*.whl' ! -name '*-none-any.whl' \
    ! -name "*-cp${version//./}-*" ! -name '*-abi3-*' ! -name '*-py3-none-*')"
[ -z "$foreign" ] || {
    echo "gpu_wheels: these are not for Python $version:
$foreign
No wheel of theirs is published for it, and what was built here is for the
Python here." >&2
    exit 1
}
du -sh "$folder"
