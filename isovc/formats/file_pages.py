"""The files of a difference as a part of its page: lines of text, pictures side by side, size and type of the rest."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence

from isovc.formats.files import FileDelta, FileSide, Read, beside, line_changes, picture
from isovc.formats.markup import SIGNS, safe

_TAGS = {"+": "ins", "-": "del"}


def pieces(files: Sequence[FileDelta], read: Read) -> Iterator[str]:
    """One section."""
    yield '<section id="files"><h2>Files</h2>\n'
    for each in files:
        lines = line_changes(each, read)
        yield _head(each, with_type=lines is None)
        pictures = [picture(side, read) for side in (each.before, each.after)]
        if any(pictures):
            shown = zip(("before", "after"), (each.before, each.after), pictures, strict=True)
            yield f'<div class="pair">{"".join(_figure(*one) for one in shown)}</div>\n'
        elif lines:
            yield f"<pre>{''.join(map(_line, lines))}</pre>\n"
    yield "</section>\n"


def _head(each: FileDelta, *, with_type: bool) -> str:
    one, other = each.before, each.after
    was = f"{safe(one.path)} &rarr; " if one and other and one.path != other.path else ""
    said = [f"{what} {safe(old)} &rarr; {safe(new)}" for what, old, new in beside(each)]
    sizes = [f"{side.size:,} bytes" for side in (one, other) if side]
    if not each.is_same_content:
        said.insert(0, " &rarr; ".join(dict.fromkeys(sizes)))
    side = other or one
    if side is not None and (None in (one, other) or (with_type and not each.is_same_content)):
        said.append(safe(side.kind))
    return f'<p class="file"><b>{SIGNS[each.op]}</b> {was}<b>{safe(each.path)}</b> {", ".join(said)}</p>\n'


def _figure(caption: str, side: FileSide | None, content: bytes | None) -> str:
    if side is None or content is None:
        return ""
    data = b64encode(content).decode()
    image = f'<img alt="{caption}" src="data:{side.media};base64,{data}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _line(line: str) -> str:
    tag = _TAGS.get(line[:1])
    text = safe(line[1:] if tag else line) or "&nbsp;"
    return f"<{tag}>{text}</{tag}>" if tag else f"<span>{text}</span>\n"
