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

#define KIND(at, bytes, ...)                                                             \
    { at, bytes, sizeof bytes - 1, __VA_ARGS__ }

static const Kind KINDS[] = {
    KIND(4, "ftyp", "an MPEG-4 file (m4a, mp4, AAC)", CONVERT, false),
    KIND(0, "\xFF\xF1", "an AAC file (ADTS)", CONVERT, false),
    KIND(0, "\xFF\xF9", "an AAC file (ADTS)", CONVERT, false),
    KIND(0, "\x1A\x45\xDF\xA3", "a WebM or Matroska file", CONVERT, false),
    KIND(0, "\x30\x26\xB2\x75", "a Windows Media file (WMA, ASF)", CONVERT, false),
    KIND(0, "#!AMR", "an AMR file", CONVERT, false),
    KIND(0, "wvpk", "a WavPack file", CONVERT, false),
    KIND(0, "MAC ", "a Monkey's Audio file", CONVERT, false),
    KIND(0, "ajkg", "a Shorten file", CONVERT, false),
    KIND(0, "FLV\x01", "a Flash video", CONVERT, false),
    KIND(8, "AVI LIST", "an AVI video", CONVERT, false),
    KIND(0, "MThd", "a MIDI file, notes and no sound", OTHER, false),
    KIND(0, "PK\x03\x04", "a ZIP archive", UNPACK, false),
    KIND(0, "\x1F\x8B", "a gzip file", UNPACK, false),
    KIND(0, "BZh", "a bzip2 file", UNPACK, false),
    KIND(0,
         "\xFD"
         "7zXZ",
         "an xz file", UNPACK, false),
    KIND(0, "\x28\xB5\x2F\xFD", "a zstd file", UNPACK, false),
    KIND(0, "7z\xBC\xAF", "a 7z archive", UNPACK, false),
    KIND(0, "Rar!", "a RAR archive", UNPACK, false),
    KIND(257, "ustar", "a tar archive", UNPACK, false),
    KIND(0, "version https://git-lfs", "a pointer of git LFS, not the file itself", FETCH,
         false),
    KIND(0, "/annex/objects/", "a pointer of git-annex, not the file itself", FETCH,
         false),
    KIND(0, "%PDF", "a PDF file", OTHER, false),
    KIND(0, "\x89PNG", "a PNG picture", OTHER, false),
    KIND(0, "\xFF\xD8\xFF", "a JPEG picture", OTHER, false),
    KIND(0, "GIF8", "a GIF picture", OTHER, false),
    KIND(0, "\x93NUMPY", "a NumPy array", OTHER, false),
    KIND(0, "PAR1", "a Parquet file", OTHER, false),
    KIND(0,
         "\x7F"
         "ELF",
         "a program", OTHER, false),
    KIND(0, "<!DOCTYPE", "a web page (HTML)", DOWNLOAD, false),
    KIND(0, "<html", "a web page (HTML)", DOWNLOAD, false),
    KIND(0, "<?xml", "an XML file", DOWNLOAD, false),
    KIND(0, "{\"", "a JSON text, a manifest perhaps (data.train_split, data.test_path)",
         OTHER, false),
    KIND(0, "ID3", "an MP3 file", CONVERT, true),
    KIND(0, "\xFF\xFB", "an MP3 file", CONVERT, true),
    KIND(0, "\xFF\xF3", "an MP3 file", CONVERT, true),
    KIND(0, "\xFF\xFA", "an MP3 file", CONVERT, true),
    KIND(28, "Speex", "a Speex file", CONVERT, true),
    KIND(28, "OpusHead", "an Opus file", CONVERT, true),
    KIND(0, "OggS", "an Ogg file without Vorbis, Opus or FLAC that can be read", CONVERT,
         true),
};

static Status fail(const Kind *kind, const char *path, Err *err) {
    switch (kind->remedy) {
    case CONVERT:
        return err_set(
            err, FAIL_DATA,
            "%s is %s, which is not read here; convert it: ffmpeg -i %s NAME.flac", path,
            kind->name, path);
    case UNPACK:
        return err_set(err, FAIL_DATA, "%s is %s, not a recording; unpack it", path,
                       kind->name);
    case FETCH:
        return err_set(err, FAIL_DATA,
                       "%s is %s; fetch that (git lfs pull, git annex get)", path,
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
