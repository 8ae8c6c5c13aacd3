"""The set-up page in a real browser: the whole way with its failures, without JavaScript, narrow, Chinese, hostile.

With PORTAL_IMAGES=directory the tests leave screenshots there (docs/images has those of the README).
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "host"))
from portal_browser import browser, needs_chromium
from portal_process import Running, running

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def chromium():
    with browser() as it:
        yield it


@pytest.fixture(params=["micropython"])
def portal(request):
    with running(request.param) as it:
        yield it


def open_page(
    chromium, portal: Running, *, width: int = 390, locale: str = "en-US", js: bool = True, dark: bool = False
):
    """The page, with every console message, error and request collected in `page.seen`."""
    context = chromium.new_context(
        viewport={"width": width, "height": 740},
        locale=locale,
        java_script_enabled=js,
        color_scheme="dark" if dark else "light",
        device_scale_factor=1.5,
    )
    page = context.new_page()
    page.seen = []
    page.on("console", lambda message: page.seen.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.seen.append(str(error)))
    page.on("dialog", lambda dialog: (page.seen.append("dialog"), dialog.dismiss()))
    page.on("request", lambda request: page.seen.append(request.url) if str(portal.port) not in request.url else None)
    page.goto(f"http://127.0.0.1:{portal.port}/")
    return page


def picture(page, name: str) -> None:
    directory = os.environ.get("PORTAL_IMAGES")
    if directory:
        page.screenshot(path=Path(directory) / f"portal-{name}.png", full_page=True)


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def fill(page, key: str, host: str = "10.0.0.2", password: str = "right") -> None:
    page.check("[name='network.ssid_hex'][value='486f6d65']")
    page.fill("[name='network.key']", key)
    page.fill("[name='broker.host']", host)
    page.fill("[name='mqtt.user']", "me")
    page.fill("[name='mqtt.password']", password)


def test_set_up_with_its_failures(chromium, portal):
    page = open_page(chromium, portal)
    picture(page, "start")
    for key, host, password, reason in (
        ("wrong-key", "10.0.0.2", "right", "wrong WiFi key"),
        ("right-key", "nowhere.example", "right", "no such broker name"),
        ("right-key", "10.0.0.2", "bad-password", "wrong user or password"),
    ):
        fill(page, key, host, password)
        page.click(".go")
        page.get_by_text("Trying the new settings").wait_for()
        page.get_by_role("alert").wait_for()  # the page finds the result by itself
        assert reason in page.get_by_role("alert").inner_text()
        assert "old settings are still in use" in page.get_by_role("alert").inner_text()
    picture(page, "failed")
    fill(page, "right-key")
    page.click(".go")
    page.get_by_text("The settings are saved").wait_for()
    picture(page, "done")
    assert "192.168.1.23" in page.inner_text("dl")
    assert not page.seen, page.seen
    page.context.close()


def test_set_up_without_javascript(chromium, portal):
    page = open_page(chromium, portal, width=320, js=False)
    fill(page, "wrong-key")
    page.click(".go")
    page.get_by_role("alert").wait_for()  # by the page's own refresh
    assert "wrong WiFi key" in page.get_by_role("alert").inner_text()
    fill(page, "right-key")
    page.click(".go")
    page.get_by_text("The settings are saved").wait_for()
    page.context.close()


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("scenario", ["fresh", "online", "hostile", "forty"])
def test_nothing_is_wider_than_the_screen(chromium, scenario, width):
    with running("micropython", scenario) as portal:
        page = open_page(chromium, portal, width=width, dark=width == 320)
        assert fits(page)
        page.goto(f"http://127.0.0.1:{portal.port}/?lang=zh")
        assert fits(page) and not page.seen, page.seen
        targets = page.evaluate(
            "[...document.querySelectorAll('button,select,label.t,a,summary,input:not([type=hidden],[type=checkbox],[type=radio])')]"
            ".filter(e=>e.offsetParent).map(e=>e.offsetHeight)"
        )
        assert min(targets) >= 44, targets
        if (scenario, width) == ("forty", 320):
            picture(page, "dark-320-zh")
        page.context.close()


def test_chinese_by_the_browser_and_by_the_switch(chromium, portal):
    page = open_page(chromium, portal, locale="zh-CN")
    assert page.get_attribute("html", "lang") == "zh-CN" and page.get_by_text("保存并连接").is_visible()
    picture(page, "zh")
    page.click("header a")
    assert page.get_attribute("html", "lang") == "en"
    page.goto(f"http://127.0.0.1:{portal.port}/")  # remembered
    assert page.get_attribute("html", "lang") == "en"
    page.context.close()


def test_every_platform_shows_its_own_fields(chromium, portal):
    page = open_page(chromium, portal)
    wanted = {
        "plain": "host port tls user password",
        "aliyun": "product device secret region instance method tls",
        "thingsboard": "host port tls secret",
        "aws": "host port tls device",
        "hivemq": "host port tls user password",
    }
    for platform, names in wanted.items():
        page.select_option("[name='cloud.platform']", platform)
        shown = page.evaluate(
            "[...document.querySelectorAll('.p [name]')].filter(e=>e.offsetParent).map(e=>e.name.split('.')[1])"
        )
        assert set(names.split()) <= set(shown), (platform, shown)
        assert ("user" in shown) == ("user" in names) and ("product" in shown) == ("product" in names)
    page.context.close()


def test_typing_a_name_chooses_it_and_show_shows_the_key(chromium, portal):
    page = open_page(chromium, portal)
    page.check("[name='network.ssid_hex'][value='486f6d65']")
    page.fill("[name='network.ssid']", "Hidden")
    assert page.is_checked("[name='network.ssid_hex'][value='']")
    key = page.locator("[name='network.key']")
    button = page.locator("button[aria-controls='network.key']")
    button.click()
    assert key.get_attribute("type") == "text" and button.get_attribute("aria-pressed") == "true"
    button.click()
    assert key.get_attribute("type") == "password"
    page.context.close()


def test_every_field_has_a_name_for_screen_readers(chromium, portal):
    page = open_page(chromium, portal)
    nameless = page.evaluate(
        "[...document.querySelectorAll('input:not([type=hidden]),select')]"
        ".filter(e=>!(e.labels.length && e.labels[0].textContent.trim()) && !e.ariaLabel).map(e=>e.name)"
    )
    assert nameless == []
    tree = page.locator("main").aria_snapshot()
    for part in ('radio "Home locked signal 4/4"', 'textbox "Key"', 'heading "WiFi"', 'button "Save and connect"'):
        assert part in tree, tree
    page.context.close()


def test_hostile_names_stay_text(chromium):
    with running("micropython", "hostile") as portal:
        for js in (True, False):
            page = open_page(chromium, portal, width=320, js=js)
            assert page.get_by_text("<script>alert(1)</script>").first.is_visible()
            assert page.locator("main img, main u, body > script:not([nonce])").count() == 0
            assert page.locator("[onerror],[onfocus],[autofocus]").count() == 0
            assert not page.seen, page.seen
            page.context.close()


def test_search_and_reset_ask_before_they_act(chromium, portal):
    page = open_page(chromium, portal)
    page.get_by_text("Search again").click()
    page.locator("[value='486f6d65']").wait_for()  # the list comes back by itself
    page.locator("summary").click()
    page.get_by_text("Erase and restart").click()
    assert page.url == f"http://127.0.0.1:{portal.port}/"  # the box is required
    page.check("[name=sure]")
    page.get_by_text("Erase and restart").click()
    page.get_by_text("starts again as new").wait_for()
    assert not page.seen, page.seen
    page.context.close()


def test_a_foreign_page_cannot_post(chromium, portal):
    """A page of another origin sends the form: the node refuses it."""
    context = chromium.new_context()
    page = context.new_page()
    with running("cpython") as other:  # only to have a foreign origin
        page.goto(f"http://127.0.0.1:{other.port}/favicon.ico")
        target = f"http://127.0.0.1:{portal.port}/reset"
        with page.expect_navigation():
            page.evaluate(
                "u=>{document.body.innerHTML=`<form method=post action='${u}'><input name=sure value=on></form>`;"
                "document.forms[0].submit()}",
                target,
            )
        assert re.search("403", page.inner_text("body"))
    context.close()
