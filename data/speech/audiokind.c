#include "data/speech/audiokind.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

typedef enum { CONVERT, UNPACK, FETCH, DOWNLOAD, OTHER } Remedy;

typedef struct Kind {
    size_t at; /* of the bytes that give it away */
    const char *bytes;
    size_t count;
    const char *name;
    Remedy remedy;
    bool perhaps; /* newer versions of libsndfile read it */
} Kind;

/* clang-format off */
#define AT(at, bytes, name, remedy) {at, bytes, sizeof bytes - 1, name, remedy, false}
#define KIND(bytes, name, remedy) AT(0, bytes, name, remedy)
#define NEWER(at, bytes, name) {at, bytes, sizeof bytes - 1, name, CONVERT, true}

static const Kind KINDS[] = {
    AT(4, "ftyp", "an MPEG-4 file (m4a, mp4, AAC)", CONVERT),
    KIND("\xFF\xF1", "an AAC file (ADTS)", CONVERT),
    KIND("\xFF\xF9", "an AAC file (ADTS)", CONVERT),
    KIND("\x1A\x45\xDF\xA3", "a WebM or Matroska file", CONVERT),
    KIND("\x30\x26\xB2\x75", "a Windows Media file (WMA, ASF)", CONVERT),
    KIND("#!AMR", "an AMR file", CONVERT), KIND("wvpk", "a WavPack file", CONVERT),
    KIND("MAC ", "a Monkey's Audio file", CONVERT),
    KIND("ajkg", "a Shorten file", CONVERT), KIND("FLV\x01", "a Flash video", CONVERT),
    AT(8, "AVI LIST", "an AVI video", CONVERT),
    KIND("MThd", "a MIDI file (notes without sound)", OTHER),

    KIND("PK\x03\x04", "a ZIP archive", UNPACK), KIND("\x1F\x8B", "a gzip file", UNPACK),
    KIND("BZh", "a bzip2 file", UNPACK), KIND("\xFD" "7zXZ", "an xz file", UNPACK),
    KIND("\x28\xB5\x2F\xFD", "a zstd file", UNPACK),
    KIND("7z\xBC\xAF", "a 7z archive", UNPACK), KIND("Rar!", "a RAR archive", UNPACK),
    AT(257, "ustar", "a tar archive", UNPACK),
    KIND("version https://git-lfs", "a pointer of git LFS, not the file itself", FETCH),
    KIND("/annex/objects/", "a pointer of git-annex, not the file itself", FETCH),

    KIND("%PDF", "a PDF file", OTHER), KIND("\x89PNG", "a PNG picture", OTHER),
    KIND("\xFF\xD8\xFF", "a JPEG picture", OTHER), KIND("GIF8", "a GIF picture", OTHER),
    KIND("\x93NUMPY", "a NumPy array", OTHER), KIND("PAR1", "a Parquet file", OTHER),
    KIND("\x7F" "ELF", "a program", OTHER), KIND("<?xml", "an XML file", DOWNLOAD),
    KIND("<!DOCTYPE", "a web page (HTML)", DOWNLOAD),
    KIND("<html", "a web page (HTML)", DOWNLOAD),
    KIND("{\"", "a JSON text, perhaps a manifest (data.test_path=LIST)",
         OTHER),

    NEWER(0, "ID3", "an MP3 file"), NEWER(0, "\xFF\xFB", "an MP3 file"),
    NEWER(0, "\xFF\xF3", "an MP3 file"), NEWER(0, "\xFF\xFA", "an MP3 file"),
    NEWER(28, "Speex", "a Speex file"), NEWER(28, "OpusHead", "an Opus file"),
    NEWER(0, "OggS", "an Ogg file without readable Vorbis, Opus or FLAC"),
};
/* clang-format on */

static Status fail(const Kind *kind, const char *path, Err *err) {
    switch (kind->remedy) {
    case CONVERT:
        return err_set(
            err, FAIL_DATA,
            "%s is %s, which is not supported; convert it: ffmpeg -i %s NAME.flac", path,
            kind->name, path);
    case UNPACK:
        return err_set(err, FAIL_DATA, "%s is %s, not a recording; unpack it", path,
                       kind->name);
    case FETCH:
        return err_set(err, FAIL_DATA,
                       "%s is %s; download the file (git lfs pull, git annex get)", path,
                       kind->name);
    case DOWNLOAD:
        return err_set(err, FAIL_DATA,
                       "%s is %s, not a recording; the download may have failed", path,
                       kind->name);
    default:
        return err_set(err, FAIL_DATA, "%s is %s, not a recording", path, kind->name);
    }
}

static bool is_kind(const Kind *kind, const char *bytes, size_t count) {
    if (count < kind->at + kind->count) return false;
    const char *at = bytes + kind->at;
    bool text = kind->bytes[0] == '<'; /* tags in capitals and not */
    return text ? !strncasecmp(at, kind->bytes, kind->count)
                : !memcmp(at, kind->bytes, kind->count);
}

/* A file that was made at its full size and never written. */
static bool all_zeros(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i]) return false;
    return count > 0;
}

/* A page may begin with blank lines or a byte order mark. */
static size_t skip_blanks(const char *bytes, size_t count) {
    size_t at = count > 2 && !memcmp(bytes, "\xEF\xBB\xBF", 3) ? 3 : 0;
    while (at < count && strchr(" \t\r\n", bytes[at])) at++;
    return at < count && bytes[at] == '<' ? at : 0;
}

Status audiokind_refuse(int file, const char *path, bool unread, Err *err) {
    char bytes[512] = {0};
    ssize_t got = pread(file, bytes, sizeof bytes, 0);
    size_t count = got > 0 ? (size_t)got : 0, start = skip_blanks(bytes, count);
    for (size_t i = 0; i < COUNT(KINDS); i++)
        if ((unread || !KINDS[i].perhaps) &&
            is_kind(&KINDS[i], bytes + start, count - start))
            return fail(&KINDS[i], path, err);
    if (unread && all_zeros(bytes, count))
        return err_set(err, FAIL_DATA, "%s begins with %zu zeros: it was never written",
                       path, count);
    return OK;
}
