/* A checkpoint for a little model: it fits, or the model stays as it was. */
#include <string.h>

#include "models/vit.h"
#include "test/fuzz/fuzz.h"
#include "tools/run/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Vit *vit;
    Err err = ERR_NONE;
    if (!vit) {
        ModelConfig config = model_config_default();
        config.width = 4, config.heads = 1, config.depth = 1, config.patch = 4;
        config.reparam = REPARAM_SIGMA;
        vit = vit_new(&config, (PictureShape){1, 4, 4}, 2);
        vit_initialize(vit, 1);
        model_start(&vit->model, NULL);
    }
    const char *path = fuzz_file("c.safetensors", data, size);
    Progressed at;
    CheckpointParts parts = {.model = &vit->model};
    if (checkpoint_is_own(path, NULL)) checkpoint_load(path, NULL, &parts, &at, &err);
    weights_load(path, NULL, &vit->model, &err);
    return 0;
}
