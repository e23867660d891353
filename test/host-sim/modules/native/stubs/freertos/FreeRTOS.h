#pragma once
#include <stdint.h>
typedef int BaseType_t;
#define pdPASS 1

typedef uint32_t TickType_t;
#define pdMS_TO_TICKS(milliseconds) ((TickType_t)(milliseconds))
typedef struct { int owner; } portMUX_TYPE;
#define portMUX_INITIALIZER_UNLOCKED { 0 }
// the driver counts: a lock that is taken twice stops the chip
void enter_critical(void);
void leave_critical(void);
#define portENTER_CRITICAL(lock) ((void)(lock), enter_critical())
#define portEXIT_CRITICAL(lock) ((void)(lock), leave_critical())
