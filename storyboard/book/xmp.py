"""What a PDF says of itself in XMP (ISO 16684-1), which libraries and search engines read."""

from __future__ import annotations

from xml.sax.saxutils import escape

_PACKET_ID = "W5M0MpCehiHzreSzNTczkc9d"  # the same in every packet, as the standard wants it


def xmp_packet(title: str, author: str, language: str, tool: str) -> bytes:
    """Return the packet. It holds no date: the same book gives the same bytes."""
    creator = f"<rdf:Seq><rdf:li>{escape(author)}</rdf:li></rdf:Seq>" if author else "<rdf:Seq/>"
    return f"""\
<?xpacket begin="\ufeff" id="{_PACKET_ID}"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
  xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
  xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>
<dc:creator>{creator}</dc:creator>
<dc:language><rdf:Bag><rdf:li>{escape(language)}</rdf:li></rdf:Bag></dc:language>
<pdf:Producer>{escape(tool)}</pdf:Producer>
<xmp:CreatorTool>{escape(tool)}</xmp:CreatorTool>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>""".encode()
