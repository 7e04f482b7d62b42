"""The pictures of the concept pages, as SVG: `python docs_site/pictures.py` writes docs/pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"

INK, SOFT, TEAL, AMBER, ROSE = "#37474f", "#b0bec5", "#26a69a", "#ffb300", "#e57373"


class Drawing:
    """An SVG in the making; coordinates are pixels from the upper left corner.

    Parameters
    ----------
    width, height
        Of the picture.
    title
        What it shows, for those who cannot see it.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'font-family="sans-serif" font-size="14">',
            f"<title>{title}</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff" rx="6"/>',
        ]

    def box(self, x: float, y: float, width: float, height: float, text: str = "", fill: str = "#eceff1") -> None:
        """Draw a box with a text in its middle."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}" stroke="{INK}" rx="3"/>'
        )
        if text:
            self.text(x + width / 2, y + height / 2 + 5, text, "middle")

    def text(self, x: float, y: float, text: str, anchor: str = "start", colour: str = INK) -> None:
        """Write a text; `anchor` is start, middle or end."""
        self.parts.append(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}">{text}</text>')

    def line(self, points: Sequence[tuple[float, float]], colour: str = INK, dashes: str = "") -> None:
        """Draw a line through points."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>')

    def arrow(self, x1: float, y1: float, x2: float, y2: float, colour: str = INK, dashes: str = "") -> None:
        """Draw an arrow; its head points along the longer side."""
        self.line([(x1, y1), (x2, y2)], colour, dashes)
        step = 7 if max(abs(x2 - x1), abs(y2 - y1)) > 0 else 0
        if abs(x2 - x1) >= abs(y2 - y1):
            way = step if x2 > x1 else -step
            head = [(x2, y2), (x2 - way, y2 - 5), (x2 - way, y2 + 5)]
        else:
            way = step if y2 > y1 else -step
            head = [(x2, y2), (x2 - 5, y2 - way), (x2 + 5, y2 - way)]
        points = " ".join(f"{x:g},{y:g}" for x, y in head)
        self.parts.append(f'<polygon points="{points}" fill="{colour}"/>')

    def svg(self) -> str:
        """Give the file."""
        return "\n".join([*self.parts, "</svg>"]) + "\n"


def fixed_point() -> str:
    """Draw the bits of a pixel and of a weight."""
    drawing = Drawing(640, 230, "The bits of ufixed 8,0 and of fixed 6,2 with what each is worth")
    for top, name, first, signed, count in (
        (30, "ufixed&lt;8,0&gt;", -1, False, 8),
        (130, "fixed&lt;6,2&gt;", 1, True, 6),
    ):
        drawing.text(20, top + 32, name)
        for place in range(count):
            power = first - place
            worth = f"{2**power}" if power >= 0 else f"1/{2**-power}"
            sign = signed and place == 0
            x = 150 + 58 * place
            drawing.box(x, top + 10, 54, 34, ("-" if sign else "") + worth, AMBER if sign else "#e0f2f1")
        point = 150 + 58 * (first + 1) - 2
        drawing.line([(point, top), (point, top + 54)], ROSE)
        drawing.text(point, top + 70, "point", "middle", ROSE)
    return drawing.svg()


def rounding() -> str:
    """Draw the staircase of codes over values, with saturation at the end."""
    drawing = Drawing(640, 260, "Values become the nearest code; beyond the end they saturate or wrap around")
    drawing.arrow(60, 220, 610, 220)
    drawing.arrow(60, 220, 60, 20)
    drawing.text(610, 245, "value", "end")
    drawing.text(70, 30, "code")
    stairs: list[tuple[float, float]] = [(60, 220)]
    for code in range(8):
        left, right, y = 60 + 45 * max(code - 0.5, 0), 60 + 45 * (code + 0.5), 220 - 20 * code
        stairs += [(left, y), (right, y)]
    drawing.line([*stairs, (600, 80)], TEAL)
    drawing.text(600, 70, "SAT: the end", "end", TEAL)
    drawing.line([(397, 80), (397, 220), (442, 220), (442, 200), (487, 200), (487, 180), (532, 180)], ROSE, "5 4")
    drawing.text(545, 185, "WRAP", "start", ROSE)
    drawing.line([(60, 220), (390, 75)], SOFT, "3 3")
    return drawing.svg()


def training() -> str:
    """Draw the forward and the backward pass of fine-tuning."""
    drawing = Drawing(680, 220, "The forward pass goes through the rounding, the gradient goes past it")
    names = ("weight", "round", "multiply", "activation", "round", "loss")
    for place, name in enumerate(names):
        drawing.box(20 + 110 * place, 80, 86, 44, name, AMBER if name == "round" else "#e0f2f1")
        if place:
            drawing.arrow(20 + 110 * place - 24, 92, 20 + 110 * place - 2, 92, TEAL)
            drawing.arrow(20 + 110 * place - 2, 112, 20 + 110 * place - 24, 112, ROSE)
    for place in (1, 4):
        x = 20 + 110 * place
        drawing.line([(x + 92, 124), (x + 92, 156), (x - 6, 156)], ROSE, "5 4")
        drawing.arrow(x - 6, 156, x - 6, 126, ROSE, "5 4")
    drawing.text(20, 50, "forward: with the rounding", "start", TEAL)
    drawing.text(20, 195, "backward: the gradient passes the rounding by", "start", ROSE)
    return drawing.svg()


def streaming() -> str:
    """Draw which layer works on which image when."""
    drawing = Drawing(680, 250, "Layers work at the same time on different images")
    rows = (("conv 1", 0, 3.0), ("pool", 0.35, 3.0), ("conv 2", 0.9, 4.0), ("dense", 4.2, 0.7))
    colours = ("#b2dfdb", "#ffe0b2", "#f8bbd0")
    for row, (name, start, length) in enumerate(rows):
        y = 40 + 44 * row
        drawing.text(16, y + 22, name)
        for image in range(3):
            drawing.box(90 + 40 * (start + 4.0 * image), y, 40 * length, 32, str(image + 1), colours[image])
    drawing.arrow(90, 228, 650, 228)
    drawing.text(650, 246, "time", "end")
    drawing.text(16, 24, "the slowest layer (conv 2) sets the interval")
    return drawing.svg()


def reuse() -> str:
    """Draw multipliers and cycles for two reuse factors."""
    drawing = Drawing(640, 220, "Eight products with eight multipliers in one cycle, or two multipliers in four cycles")
    drawing.text(20, 30, "reuse 1: 8 multipliers, 1 cycle")
    for place in range(8):
        drawing.box(20 + 34 * place, 44, 28, 28, "x", "#b2dfdb")
    drawing.text(340, 30, "reuse 4: 2 multipliers, 4 cycles")
    for cycle in range(4):
        for place in range(2):
            drawing.box(340 + 34 * place, 44 + 40 * cycle, 28, 28, "x", "#ffe0b2")
        drawing.text(420, 64 + 40 * cycle, f"cycle {cycle + 1}")
    return drawing.svg()


def exactness() -> str:
    """Draw the integer network and the executors that are compared with it."""
    drawing = Drawing(700, 300, "The integer network in the middle; each executor is compared with it")
    drawing.box(260, 120, 180, 56, "integer network", AMBER)
    others = (
        (20, 20, "QKeras model", "test"),
        (500, 20, "emulator", "test"),
        (20, 220, "C simulation", "test"),
        (500, 220, "Verilator", "test"),
    )
    for x, y, name, ground in others:
        drawing.box(x, y, 180, 50, name, "#e0f2f1")
        end = (x + 180 if x < 260 else x, y + 25)
        drawing.line([end, (300 if x < 260 else 400, 120 if y < 120 else 176)], TEAL)
        drawing.text(222 if x < 260 else 478, 98 if y < 120 else 208, ground, "middle", TEAL)
    drawing.text(350, 30, "types, weights, code", "middle", ROSE)
    drawing.text(350, 50, "proof", "middle", ROSE)
    drawing.arrow(350, 58, 350, 116, ROSE)
    return drawing.svg()


PICTURES: Mapping[str, Callable[[], str]] = {
    "fixed_point.svg": fixed_point,
    "rounding.svg": rounding,
    "training.svg": training,
    "streaming.svg": streaming,
    "reuse.svg": reuse,
    "exactness.svg": exactness,
}
"""The pictures by file name, each with the function that draws it."""


def main() -> None:
    """Write all pictures."""
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
