"""Debian's Chromium, driven by its own driver, in a profile that goes away."""
import os

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


class Browser:
    def __init__(self, width=1280, height=900, dark=False, ca=None):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for word in ("--headless=new", f"--window-size={width},{height}", "--ignore-certificate-errors", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--lang=en-GB", "--hide-scrollbars"):
            options.add_argument(word)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        if dark:
            options.add_argument("--force-dark-mode")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, url):
        self.driver.get(url)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self):
        return self.find("body").text

    def wait(self, what, seconds=20):
        # The page may have drawn a list anew between the look and the question.
        try:
            return WebDriverWait(self.driver, seconds, 0.1, ignored_exceptions=[StaleElementReferenceException]).until(lambda _: what())
        except TimeoutException:
            raise AssertionError(f"Waited {seconds} seconds in vain at {self.driver.current_url}: {self.text()}") from None

    def see(self, words, seconds=20):
        try:
            self.wait(lambda: words in self.text(), seconds)
        except Exception:
            raise AssertionError(f"'{words}' was not seen in: {self.text()}") from None

    def appears(self, selector, seconds=20):
        return self.wait(lambda: next((one for one in self.all(selector) if one.is_displayed()), None), seconds)

    def button(self, words):
        return self.wait(lambda: next((one for one in self.all("button, a.button") if one.text == words and one.is_displayed()), None))

    def log_in(self, url, username="fax", password="correct horse battery"):
        self.open(url)
        self.appears("#username").send_keys(username)
        self.find("#password").send_keys(password)
        self.button("Log in").click()
        self.appears("#logout")
        self.wait(lambda: not self.all("#username"))

    def complaints(self):
        """What the browser's own console complains of, but for answers that say what they should."""
        return [entry["message"] for entry in self.driver.get_log("browser") if "Failed to load resource" not in entry["message"]]

    def picture(self, path):
        self.driver.save_screenshot(path)

    def close(self):
        self.driver.quit()
