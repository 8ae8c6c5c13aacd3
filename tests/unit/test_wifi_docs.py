"""docs/wifi.md shows the very table that the manager runs on."""

from wifi import table


def page():
    here = __file__.rsplit("/", 1)[0] + "/" if "/" in __file__ else ""
    with open(here + "../../docs/wifi.md", encoding="utf-8") as file:
        return file.read()


def test_page_has_every_row_of_the_table_in_its_order_and_no_other():
    code = [tuple(line.split(" ")) for line in table.TABLE.strip().split("\n")]
    shown = []
    for line in page().split("\n"):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5 and "." in cells[3]:
            shown.append(tuple(cells[:4]))
    assert shown == code
