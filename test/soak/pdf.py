"""Sound PDFs, small, each another one."""
import secrets


def make(pages=1, padding=0):
    """That many pages, with PADDING bytes of noise that nothing shows."""
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(pages))
    parts = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, pages)]
    parts += [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>"] * pages
    noise = secrets.token_bytes(16) + secrets.token_bytes(padding)
    parts.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(noise), noise))
    text, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(text))
        text += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    end = b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1) + b"".join(b"%010d 00000 n \n" % place for place in places)
    return text + end + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, len(text))
