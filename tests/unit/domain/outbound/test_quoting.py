"""An answer stands above what it quotes, whatever both are."""

import time

import pytest

from shared.domain.outbound.quoting import above


@pytest.mark.parametrize(
    ("own", "quoted", "merged"),
    [
        (("Hi", "text"), ("Old", "text"), ("Hi\r\n\r\nOld", "text")),
        (("", "text"), ("Old", "text"), ("Old", "text")),
        (
            ("<p>Hi</p>", "html"),
            ("<html><body lang=EN>Old</body></html>", "html"),
            ("<html><body lang=EN><div><p>Hi</p></div>\r\nOld</body></html>", "html"),
        ),
        (
            ("<html><head><title>t</title></head><body><p>Hi</p></body></html>", "html"),
            ("<b>Old</b>", "html"),
            ("<div><p>Hi</p></div>\r\n<b>Old</b>", "html"),
        ),
        (("a < b\n c", "text"), ("Old", "html"), ("<div>a &lt; b<br>\r\n c</div>\r\nOld", "html")),
        (("<p>Hi</p>", "html"), ("<x>", "text"), ("<div><p>Hi</p></div>\r\n&lt;x&gt;", "html")),
    ],
)
def test_both_are_there(
    own: tuple[str, str], quoted: tuple[str, str], merged: tuple[str, str]
) -> None:
    """Text within HTML is escaped; a page within a page is none."""
    assert above(*own, *quoted) == merged


@pytest.mark.parametrize(
    "head",
    [
        "<html><head><style><!-- <body> --></style></head><body>",
        "<html><head><script>'<body>'</script></head><body>",
        "<html><!-- <body> --><body>",
        '<html><body title="a>b">',
        f'<html><BODY data-x="{"y" * 5000}">',
        "<html>\r\n<head>\n</head>\n<body\n class=a\n>",
    ],
)
def test_an_answer_stands_within_the_page_that_it_quotes(head: str) -> None:
    """Not in a comment, a style, a script or an attribute, where nobody would see it."""
    merged, _ = above("<p>Hi</p>", "html", f"{head}Old</body></html>", "html")

    assert merged == f"{head}<div><p>Hi</p></div>\r\nOld</body></html>"


def test_a_page_of_ones_own_is_taken_apart_likewise() -> None:
    """What stands in its head is none of its body."""
    own = '<html><head><style>/* <body> */</style></head><body title="a>b"><p>Hi</p></body></html>'

    assert above(own, "html", "<b>Old</b>", "html")[0] == "<div><p>Hi</p></div>\r\n<b>Old</b>"


@pytest.mark.parametrize("piece", ["<!--", "<a ", "<style>", "</", "<!", "<?", "<body ", '<a b="'])
def test_a_page_made_to_take_long_does_not(piece: str) -> None:
    """Strangers write what is quoted."""
    began = time.process_time()

    above("Hi", "text", piece * (2_000_000 // len(piece)), "html")

    assert time.process_time() - began < 2
