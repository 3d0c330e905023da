"""Documents for the tests: small ones of every kind, and a folder with facts planted in it.

Written by hand, so that no library of the tests reads what the program's own library wrote.
"""
import os

WORDS = ("ledger harbour quiet morning copper report invoice window river signal meadow engine "
         "carpet lantern winter market border letter garden stone").split()


def pdf(pages):
    """A PDF of plain text pages, each a list of lines."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", None,
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        shown = "".join(f"({_escaped(line)}) Tj T*\n" for line in lines)
        stream = f"BT /F1 8 Tf 12 TL 40 800 Td\n{shown}ET"
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources "
                       f"<< /Font << /F1 3 0 R >> >> /Contents {len(objects) + 2} 0 R >>")
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(pages)} >>"
    out, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1")
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + (f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n"
                  f"startxref\n{start}\n%%EOF\n").encode()


def _escaped(line):
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def mail(subject, text, sender="Ann <ann@example.org>"):
    return (f"From: {sender}\r\nTo: me@example.org\r\nSubject: {subject}\r\n"
            "Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n\r\n"
            + text.replace("\n", "\r\n")).encode()


def filler(seed, words):
    """Text without meaning that is different for every seed."""
    return " ".join(WORDS[(seed * 7 + i * i + i // 3) % len(WORDS)] for i in range(words))


def write(folder, name, data):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return path


def lines_of(number, long):
    """The lines of a document: each paragraph has a mark of its own, so that a test can count who
    read it."""
    count = 400 if long else 9
    return [f"MARK{number:03d}x{i:03d} {filler(number + i, 14)}." for i in range(count)]


def planted(folder, count, facts):
    """`count` documents in three kinds; facts: {number: sentence}. Returns {number: file name}."""
    names = {}
    for number in range(count):
        lines = lines_of(number, long=number % 40 == 7)
        if number in facts:
            lines.insert(len(lines) // 2, facts[number])
        kind = number % 3
        name = f"part{number % 4}/doc{number:03d}" + (".pdf", ".md", ".eml")[kind]
        if kind == 0:
            data = pdf([lines[at:at + 30] for at in range(0, len(lines), 30)])
        elif kind == 1:
            data = f"# Document {number}\n\n" + "\n\n".join(lines) + "\n"
        else:
            data = mail(f"Document {number}", "\n".join(lines) + "\n")
        write(folder, name, data)
        names[number] = name
    return names
