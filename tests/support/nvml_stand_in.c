/* SPDX-License-Identifier: Apache-2.0 */
/* A libnvidia-ml.so.1 of two cards, for tests on machines that have none. NVML_STAND_IN=broken: the
 * driver is not there; NVML_STAND_IN=old: a card that tells only its name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, DRIVER_NOT_LOADED = 9, CARDS = 2 };

struct card {
    const char *name, *uuid;
    unsigned busy, memory_busy, temperature, power_mw, clock, memory_clock;
    unsigned long long total, used;
};

static struct card cards[CARDS] = {
    {"Stand-in 80GB", "GPU-11111111-2222-3333-4444-555555555555", 96, 41, 61, 491000, 1980, 2619,
     85520809984ULL, 4052746240ULL},
    {"Stand-in 24GB", "GPU-99999999-8888-7777-6666-555555555555", 7, 3, 38, 70500, 1410, 6251,
     25757220864ULL, 1073741824ULL},
};

struct rates {
    unsigned gpu, memory;
};
struct memory {
    unsigned long long total, free, used;
};

static int is(const char *what)
{
    const char *told = getenv("NVML_STAND_IN");
    return told && strcmp(told, what) == 0;
}

const char *nvmlErrorString(int result);
int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlSystemGetDriverVersion(char *out, unsigned size);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct card **out);
int nvmlDeviceGetHandleByUUID(const char *uuid, struct card **out);
int nvmlDeviceGetName(struct card *card, char *out, unsigned size);
int nvmlDeviceGetUtilizationRates(struct card *card, struct rates *out);
int nvmlDeviceGetMemoryInfo(struct card *card, struct memory *out);
int nvmlDeviceGetTemperature(struct card *card, int sensor, unsigned *out);
int nvmlDeviceGetPowerUsage(struct card *card, unsigned *out);
int nvmlDeviceGetClockInfo(struct card *card, int domain, unsigned *out);

const char *nvmlErrorString(int result)
{
    return result == DRIVER_NOT_LOADED ? "Driver Not Loaded"
           : result == NOT_SUPPORTED   ? "Not Supported"
                                       : "Not Found";
}

int nvmlInit_v2(void)
{
    return is("broken") ? DRIVER_NOT_LOADED : SUCCESS;
}

int nvmlShutdown(void)
{
    return SUCCESS;
}

int nvmlSystemGetDriverVersion(char *out, unsigned size)
{
    snprintf(out, size, "580.159.03");
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct card **out)
{
    if (index >= CARDS)
        return NOT_FOUND;
    *out = &cards[index];
    return SUCCESS;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, struct card **out)
{
    for (int i = 0; i < CARDS; i++)
        if (strcmp(cards[i].uuid, uuid) == 0) {
            *out = &cards[i];
            return SUCCESS;
        }
    return NOT_FOUND;
}

int nvmlDeviceGetName(struct card *card, char *out, unsigned size)
{
    snprintf(out, size, "%s", card->name);
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(struct card *card, struct rates *out)
{
    *out = (struct rates){card->busy, card->memory_busy};
    return is("old") ? NOT_SUPPORTED : SUCCESS;
}

int nvmlDeviceGetMemoryInfo(struct card *card, struct memory *out)
{
    *out = (struct memory){card->total, card->total - card->used, card->used};
    return is("old") ? NOT_SUPPORTED : SUCCESS;
}

int nvmlDeviceGetTemperature(struct card *card, int sensor, unsigned *out)
{
    *out = card->temperature;
    return is("old") || sensor != 0 ? NOT_SUPPORTED : SUCCESS;
}

int nvmlDeviceGetPowerUsage(struct card *card, unsigned *out)
{
    *out = card->power_mw;
    return is("old") ? NOT_SUPPORTED : SUCCESS;
}

int nvmlDeviceGetClockInfo(struct card *card, int domain, unsigned *out)
{
    *out = domain == 1 ? card->clock : card->memory_clock;
    return is("old") || (domain != 1 && domain != 2) ? NOT_SUPPORTED : SUCCESS;
}
