"""A real browser goes through a sign-in: redirects, cookies, pages and their policies."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import url_contains
from selenium.webdriver.support.wait import WebDriverWait

from tests.end_to_end.accounts import ADA, ORDERS, AccountApp, account_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="no Chromium here: apt-get install chromium chromium-driver",
)


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chrome]:
    """A browser that knows nothing yet, and takes the simulator's own certificate."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--ignore-certificate-errors",
        "--no-proxy-server",
        f"--user-data-dir={tmp_path / 'profile'}",
    ):
        options.add_argument(argument)
    driver = Chrome(options, ChromeService(str(DRIVER)))
    driver.set_page_load_timeout(30)
    driver.implicitly_wait(10)
    yield driver
    driver.quit()


def connect(driver: Chrome, url: str, user: str, consent: str) -> str:
    """Opens the connect address and clicks through; gives the text of the last page."""
    driver.get(url)
    driver.find_element(By.CSS_SELECTOR, f"button[value='{user}']").click()
    driver.find_element(By.CSS_SELECTOR, f"button[value='{consent}']").click()
    WebDriverWait(driver, 10).until(url_contains("/api/accounts/callback?"))
    return driver.find_element(By.TAG_NAME, "body").text


def check(driver: Chrome, app: AccountApp) -> None:
    """What the browser does and sees."""
    address = f"{app.url}/api/accounts/connect?name=orders&mailbox={ORDERS}"
    declined = connect(driver, address, ADA, "cancel")
    assert "Not connected" in declined
    assert "AADSTS65004" in declined

    connected = connect(driver, address, ADA, "accept")
    back = driver.current_url
    style = driver.find_element(By.TAG_NAME, "h1").value_of_css_property("font-size")
    assert f"{ADA} has signed in. The account orders serves the mailbox {ORDERS}" in connected
    assert back.startswith(f"{app.url}/api/accounts/callback?code=")
    assert style == "22.4px"
    assert driver.get_cookies() == []
    log = driver.get_log("browser")  # type: ignore[no-untyped-call]
    assert [entry for entry in log if "Content Security Policy" in entry["message"]] == []

    driver.get(back)
    assert "cannot be completed here" in driver.find_element(By.TAG_NAME, "body").text


async def test_a_browser_connects_an_account(tmp_path: Path, chromium: Chrome) -> None:
    """Declines, connects, and cannot do so twice; the cookie is gone, and no policy is broken."""
    async with account_app(tmp_path) as app:
        port = str(urlsplit(app.url).port)
        async with app.world.app("--port", port):
            await app.listens()
            await asyncio.to_thread(check, chromium, app)
