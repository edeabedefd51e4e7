#include "data/speech/sources.h"

static const SpeechSource *const SOURCE_OF[SOURCES] = {
#define SOURCE_ROW(NAME, name, examples, traits) [SOURCE_##NAME] = &name##_source,
    SPEECH_SOURCES(SOURCE_ROW)
#undef SOURCE_ROW
};

const SpeechSource *speech_source(Source source) {
    CHECK(source < SOURCES && SOURCE_OF[source], "source %d has no speech", (int)source);
    return SOURCE_OF[source];
}
