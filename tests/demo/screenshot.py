"""Take the picture of the page that the documents show.

    python -m tests.demo.screenshot epoch_10.pth docs/images/demo.png

It needs a trained checkpoint, gradio, selenium, and chromium with
chromedriver.
"""
import argparse
import tempfile
from pathlib import Path

from lmim.utils.atomic import write_atomic
from tests.demo.browser import PageUser, open_browser
from tests.demo.server import serving

#: Of the window, in pixels; the page has no scroll bar then.
WIDTH, HEIGHT = 1100, 760


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('checkpoint', type=Path)
    parser.add_argument('output', type=Path)
    parser.add_argument('--example', type=int, default=3,
                        help='which one is read (default: %(default)s)')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serving(
            Path(name) / 'server', '--checkpoint', args.checkpoint.resolve()
            ) as server, open_browser(
                Path(name) / 'browser', WIDTH, HEIGHT) as driver:
        user = PageUser(driver, server.address)
        print(user.take_example(args.example))
        write_atomic(args.output, user.picture())


if __name__ == '__main__':
    main()
