"""Writes the binary seeds of test/fuzz/corpus (the others are text and kept as they are).

    python3 test/fuzz/make_corpus.py

Needs Pillow for the JPEG seeds."""
import gzip, io, json, math, os, struct, zlib

from PIL import Image

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def put(name, data):
    path = os.path.join(HERE, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def packed(data):
    return gzip.compress(data, 9, mtime=0)


def picture(mode, size, form, **options):
    image = Image.new(mode, size)
    bands = len(image.getbands())
    image.putdata([(x * 7 + y * 5) % 256 if bands == 1 else
                   tuple((x * 9 + y * 5 + 40 * c) % 256 for c in range(bands))
                   for y in range(size[1]) for x in range(size[0])])
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def exif(orientation):
    """A TIFF header with one entry, the orientation, big-endian."""
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(
        ">HHI", orientation, 0, 0)


def wav(samples, bits=16, rate=8000, code=1, size=None):
    data = struct.pack("<%dh" % len(samples), *samples) if bits == 16 else bytes(
        (s >> 8) + 128 for s in samples)
    size = len(data) if size is None else size
    return (b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " +
            struct.pack("<IHHIIHH", 16, code, 1, rate, rate * bits // 8, bits // 8, bits) +
            b"data" + struct.pack("<I", size) + data)


def tensors(table, metadata=None):
    header, data = {}, b""
    for name, (shape, values) in table.items():
        block = struct.pack("<%df" % len(values), *values)
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [len(data), len(data) + len(block)]}
        data += block
    if metadata:
        header["__metadata__"] = dict(metadata, crc32="%08x" % zlib.crc32(data))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


for mode in ("L", "LA", "RGB", "RGBA", "P", "1"):
    put("picture/%s.png" % mode.lower(), picture(mode, (5, 4), "PNG"))
put("picture/deep.png", picture("I;16", (3, 3), "PNG"))
for mode in ("L", "RGB", "CMYK"):
    put("picture/%s.jpg" % mode.lower(), picture(mode, (9, 8), "JPEG", quality=50))
put("picture/turned.jpg", picture("RGB", (9, 8), "JPEG", quality=50, exif=exif(6)))
put("picture/progressive.jpg", picture("RGB", (9, 8), "JPEG", quality=50, progressive=True))

images = struct.pack(">IIII", 2051, 3, 4, 4) + bytes(range(48))
labels = struct.pack(">II", 2049, 3) + bytes([0, 1, 2])
put("idx/plain", struct.pack("<H", len(images)) + images + labels)
images, labels = packed(images), packed(labels)
put("idx/packed", struct.pack("<H", len(images)) + images + labels)
record = bytes([3]) + bytes(i % 251 for i in range(3072))
put("cifar/packed", packed(record + bytes([5]) + record[1:]))
put("gzip/one.gz", packed(b"one line\nand another\n"))
put("gzip/two.gz", packed(b"first\n") + packed(b"second\n"))
put("gzip/padded.gz", packed(b"first\n") + bytes(64))
put("gzip/junk.gz", packed(b"first\n") + b"junk")
put("audio/16.wav", wav([i * 997 % 20000 - 10000 for i in range(500)]))
put("audio/8.wav", wav([i * 997 % 20000 - 10000 for i in range(500)], bits=8))
put("audio/streamed.wav", wav([i * 997 % 20000 - 10000 for i in range(500)], size=0))
put("safetensors/two", tensors({"a": ([2, 3], [1, 2, 3, 4, 5, 6]), "b": ([], [7])},
                               {"step": "3"}))
put("checkpoint/some", tensors({"cls_token": ([1, 1, 4], [0, 0, 0, 0]),
                                "head.bias": ([2], [0, 1])},
                               {"step": "3", "format": "steady"}))

def vit(outputs, patches):
    """The tensors of a classifier of width 4 with a block, for 28 x 28 pixels in patches of 14."""
    shapes = {"cls_token": [1, 1, 4], "pos_embed": [1, 1 + patches, 4],
              "patch_embed.proj.weight": [4, 1, 14, 14], "patch_embed.proj.bias": [4]}
    for name, shape in (("norm1", [4]), ("attn.qkv", [12, 4]), ("attn.proj", [4, 4]),
                        ("norm2", [4]), ("mlp.fc1", [16, 4]), ("mlp.fc2", [4, 16])):
        shapes["blocks.0.%s.weight" % name] = shape
        shapes["blocks.0.%s.bias" % name] = shape[:1]
    for name, shape in (("norm", [4]), ("head", [outputs, 4])):
        shapes["%s.weight" % name], shapes["%s.bias" % name] = shape, shape[:1]
    return {name: (shape, [0.01 * (i % 7) for i in range(math.prod(shape))])
            for name, shape in shapes.items()}


put("transfer/head", b"\n" + tensors(vit(3, 4)))
put("transfer/grid", b"3x2\n" + tensors(vit(10, 6)))
put("transfer/own", b"\n" + tensors(vit(10, 16), {"step": "3", "format": "steady-checkpoint-1",
                                                 "meaning": "model.heads=1\npatches=4x4\n"}))
