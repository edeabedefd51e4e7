#include "tools/run/site_numbers.h"

#define SITE_FACTS(NUMBER, key, label) [SITE_##NUMBER] = {key, label},
const SiteNumberFacts site_numbers[SITE_NUMBERS] = {SITE_LIST(SITE_FACTS)};

#define HEAD_FACTS(NUMBER, key, label) [HEAD_##NUMBER] = {key, label},
const SiteNumberFacts head_numbers[HEAD_NUMBERS] = {HEAD_LIST(HEAD_FACTS)};
