"""The explorer's page in a real browser, where playwright and a Chromium are installed."""

import shutil
import threading
from urllib.parse import urlsplit

import keras
import numpy as np
import pytest

import keras_vae
from keras_vae.explorer import Explorer
from keras_vae.explorer import ExplorerServer

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.one_backend, pytest.mark.slow]

PIXELS = "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium where it is installed, else playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with playwright.sync_playwright() as run:
        try:
            browser = run.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no Chromium: {error}")
        yield browser
        browser.close()


def serving(explorer):
    server = ExplorerServer(explorer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def of_digits():
    test = keras_vae.datasets.load("mnist_mini").test
    model = keras_vae.from_preset("vae_mnist_mini")
    server = serving(Explorer(model, "vae_mnist_mini", test.x, test.y))
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def of_codes():
    keras.utils.set_random_seed(0)
    model = keras_vae.VQVAE(
        keras_vae.ConvMapEncoder((8, 8, 3), 4, filters=(8,)),
        keras_vae.ConvMapDecoder((8, 8, 3), 4, filters=(8,)),
        keras_vae.VectorQuantizer(6),
        likelihood=keras_vae.GaussianLikelihood(0.1),
        seed=0,
    )
    x = np.random.default_rng(0).uniform(size=(30, 8, 8, 3)).astype("float32")
    server = serving(Explorer(model, "codes", x))
    yield server
    server.shutdown()


@pytest.fixture
def opened(chromium):
    """Opens pages, and says at the end whether any of them has failed or looked elsewhere."""
    pages, addresses, faults = [], [], []

    def open_page(server, width=1280, height=900):
        page = chromium.new_page(viewport={"width": width, "height": height})
        pages.append(page)
        page.on("request", lambda request: addresses.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: said.type == "error" and faults.append(said.text))
        page.goto(server.url)
        page.locator("body[data-ready=yes]").wait_for()
        return page

    yield open_page
    for page in pages:
        page.close()
    hosts = {urlsplit(address).hostname for address in addresses if address[:5] != "data:"}
    assert hosts == {"127.0.0.1"}
    assert not faults


def pixels(page, name):
    return np.asarray(page.locator(f"#{name}").evaluate(PIXELS))


def changed(page, name, before):
    """Waits until a canvas is another than it was, and returns it."""
    for _ in range(200):
        now = pixels(page, name)
        if now.shape != before.shape or np.any(now != before):
            return now
        page.wait_for_timeout(50)
    raise AssertionError(f"{name} has not changed")


def draw(page, *places):
    box = page.locator("#pad").bounding_box()
    xs, ys = (
        [box[a] + box[b] * p[i] for p in places]
        for i, a, b in ((0, "x", "width"), (1, "y", "height"))
    )
    page.mouse.move(xs[0], ys[0])
    page.mouse.down()
    for x, y in zip(xs[1:], ys[1:], strict=True):
        page.mouse.move(x, y, steps=10)
    page.mouse.up()


SEVEN = ((0.3, 0.25), (0.68, 0.25), (0.42, 0.8))


def test_a_drawn_digit_is_reconstructed(opened, of_digits):
    page = opened(of_digits)
    blank = pixels(page, "again")
    draw(page, *SEVEN)
    again = changed(page, "again", blank) / 255
    seen = pixels(page, "seen") / 255
    assert seen.mean() > 0.3  # of four channels, one of which is opaque
    error = np.mean((again - seen) ** 2) / np.mean((seen - seen.mean(axis=0)) ** 2)
    assert error < 0.25
    page.locator("#nats", has_text="nats").wait_for()
    assert "q(z|x)" in page.locator(".slider small").first.inner_text()


def test_a_slider_changes_the_picture(opened, of_digits):
    page = opened(of_digits)
    page.locator("#example").click()
    page.locator("#nats", has_text="nats").wait_for()
    before = pixels(page, "decoded")
    slider = page.locator(".slider input").first
    low, high = float(slider.get_attribute("min")), float(slider.get_attribute("max"))
    slider.fill(str(low))
    lowest = changed(page, "decoded", before)
    assert page.locator(".slider output").first.inner_text() == f"{low:.2f}"
    slider.fill(str(high))
    changed(page, "decoded", lowest)


def test_all_of_it_by_keyboard(opened, of_digits):
    page = opened(of_digits)
    blank = pixels(page, "again")
    page.locator("#example").focus()
    page.keyboard.press("Enter")
    changed(page, "again", blank)
    before = pixels(page, "decoded")
    page.locator("#map").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    moved = changed(page, "decoded", before)
    page.locator(".slider input").first.focus()
    page.keyboard.press("Home")
    changed(page, "decoded", moved)
    reached = set()
    page.locator("#clear").focus()
    for _ in range(40):
        reached.add(page.evaluate("document.activeElement.id"))
        page.keyboard.press("Tab")
    assert {"example", "upload", "invert", "sample", "map-x", "map", "more", "how"} <= reached


def test_the_map_by_mouse_and_a_sample(opened, of_digits):
    page = opened(of_digits)
    before = pixels(page, "decoded")
    page.locator("#map").click(position={"x": 30, "y": 200})
    moved = changed(page, "decoded", before)
    page.locator("#sample").click()
    changed(page, "decoded", moved)


def test_a_bad_upload_gets_a_message(opened, of_digits, tmp_path):
    page = opened(of_digits)
    path = tmp_path / "notes.png"
    path.write_text("no picture at all")
    page.locator("#upload").set_input_files(path)
    page.locator("#message", has_text="notes.png is no picture").wait_for()
    page.locator("#example").click()
    page.locator("#message").wait_for(state="hidden")


def test_a_way_between_two_uploads(opened, of_digits, tmp_path):
    pil = pytest.importorskip("PIL.Image")
    page = opened(of_digits)
    x = keras_vae.datasets.load("mnist_mini").test.x
    for end, digit in (("first", 3), ("second", 7)):
        path = tmp_path / f"{end}.png"
        picture = pil.fromarray((255 * x[digit, ..., 0]).astype("uint8"))
        picture.resize((140, 140)).save(path)
        page.locator(f"#{end}-file").set_input_files(path)
    page.locator("#way canvas").nth(7).wait_for()
    ways = [np.asarray(page.locator("#way canvas").nth(i).evaluate(PIXELS)) for i in (0, 7)]
    ends = [pixels(page, end) for end in ("first", "second")]
    near = [[np.mean((w / 255 - e / 255) ** 2) for e in ends] for w in ways]
    assert near[0][0] < near[0][1]
    assert near[1][1] < near[1][0]


def test_a_wrong_token_is_refused(chromium, of_digits):
    page = chromium.new_page()
    answer = page.goto(of_digits.url.replace(of_digits.token, "wrong"))
    assert answer.status == 403
    assert page.locator("canvas").count() == 0
    page.close()


def test_codes_are_changed_by_keyboard_and_by_mouse(opened, of_codes):
    page = opened(of_codes)
    page.locator("#nats", has_text="A bound").wait_for()
    page.locator("#codes").focus()
    page.keyboard.press("ArrowRight")
    code = page.locator("#code")
    value = int(code.input_value())
    before = pixels(page, "decoded")
    page.keyboard.press("-" if value else "+")
    after = changed(page, "decoded", before)
    assert abs(int(code.input_value()) - value) == 1
    page.locator("#undo").click()
    np.testing.assert_array_equal(changed(page, "decoded", after), before)
    page.locator("#paint").check()
    page.locator("#code").fill(str((value + 2) % 6))
    page.locator("#code").press("Enter")
    painted = changed(page, "decoded", before)
    box = page.locator("#codes").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 5, steps=10)
    page.mouse.up()
    changed(page, "decoded", painted)


def test_it_fits_a_phone(opened, of_digits, of_codes):
    for server in (of_digits, of_codes):
        page = opened(server, width=375, height=800)
        page.locator("#example").click()
        page.locator("#nats", has_text="nats").wait_for()
        widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1]
        for canvas in page.locator("canvas:visible").all():
            box = canvas.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 375
