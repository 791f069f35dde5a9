"""The page in a headless browser."""
import base64
import json
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator, List

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
DRIVER = 'chromedriver'
SECONDS = 40  # on a busy machine


class PageUser:
    """Does what a user does on the page.

    Args:
        driver (WebDriver): The browser.
        address (str): Of the page.
    """

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        self.requests()  # of the browser's own page at the start
        driver.get(address)
        self.wait(lambda: self._all('#picture input[type=file]'))

    def wait(self, condition: Callable[[], Any]) -> Any:
        """Wait until something holds; what it is."""
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait
        return WebDriverWait(
            self.driver, SECONDS, 0.1, [StaleElementReferenceException]
        ).until(lambda _: condition())

    def upload(self, path: Path) -> None:
        """Give the page a picture."""
        self._all('#picture input[type=file]')[0].send_keys(str(path))

    def pick(self, name: str) -> None:
        """Pick another checkpoint."""
        self._all('#checkpoint input')[0].click()
        # Options have their text only once they are drawn.
        self.wait(lambda: [
            option for option in self._all('[role=option]')
            if option.text.split()[-1:] == [name]])[0].click()

    def paste(self, path: Path) -> None:
        """Put a PNG where Ctrl-V takes it from, as a script would."""
        self.driver.execute_script(
            'const bytes = Uint8Array.from(atob(arguments[0]), '
            'c => c.charCodeAt(0));'
            'const data = new DataTransfer();'
            'data.items.add(new File([bytes], "pasted.png", '
            '{type: "image/png"}));'
            'document.body.dispatchEvent(new ClipboardEvent("paste", '
            '{clipboardData: data, bubbles: true}));',
            base64.b64encode(path.read_bytes()).decode())

    def take_example(self, number: int) -> str:
        """Read an example, from 1; the text."""
        self.wait(lambda: self._all('.gallery-item'))[number - 1].click()
        return self.text_of('.lmim-text')

    def picture(self) -> bytes:
        """All that is drawn, once it rests, cut at its lower end, as PNG."""
        time.sleep(2)  # fading
        size = self.driver.execute_script(
            'const box = document.querySelector(".gradio-container main")'
            '.getBoundingClientRect(); return [window.innerWidth, box.bottom]')
        shot = self.driver.execute_cdp_cmd('Page.captureScreenshot', dict(
            format='png', clip=dict(x=0, y=0, width=size[0],
                                    height=size[1], scale=1)))
        return base64.b64decode(shot['data'])

    def text_of(self, selector: str) -> str:
        """The text of what appears at a place."""
        return self.wait(lambda: [
            found.text for found in self._all(selector) if found.text])[0]

    def texts_of(self, selector: str) -> List[str]:
        """The texts of all that is at places."""
        return [found.text for found in self._all(selector)]

    def requests(self) -> List[str]:
        """Addresses that were asked for since the last call of this."""
        found = []
        for entry in self.driver.get_log('performance'):
            message = json.loads(entry['message'])['message']
            if message['method'] == 'Network.requestWillBeSent':
                found.append(message['params']['request']['url'])
            if message['method'] == 'Network.webSocketCreated':
                found.append(message['params']['url'])
        return found

    def _all(self, selector: str) -> List[Any]:
        return self.driver.find_elements('css selector', selector)


def find_browser() -> str:
    """The browser, '' where there is none that can be driven."""
    found = next(filter(None, map(shutil.which, BROWSERS)), '')
    return found if shutil.which(DRIVER) else ''


@contextmanager
def open_browser(folder: Path, width: int = 1100,
                 height: int = 760) -> Iterator[Any]:
    """A browser that reaches nothing but this machine.

    Args:
        folder (Path): Where it may write.
        width (int): Of its window, in pixels.
        height (int): Of its window, in pixels.
    """
    from selenium import webdriver
    options = webdriver.ChromeOptions()
    options.binary_location = find_browser()
    for argument in ('--headless=new', f'--user-data-dir={folder}',
                     f'--window-size={width},{height}', '--disable-gpu',
                     '--no-first-run', '--disable-background-networking',
                     '--disable-dev-shm-usage', '--lang=en',
                     '--host-resolver-rules='
                     'MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'):
        options.add_argument(argument)
    if hasattr(os, 'geteuid') and os.geteuid() == 0:
        options.add_argument('--no-sandbox')
    options.set_capability('goog:loggingPrefs', {'performance': 'ALL'})
    # With its path given, selenium looks for no driver and loads none down.
    service = webdriver.ChromeService(executable_path=shutil.which(DRIVER))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()
