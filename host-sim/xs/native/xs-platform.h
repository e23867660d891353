/* What XS needs to know of the host it runs on here: a Linux process whose clock and randomness belong to the virtual device.
   Included by XS's own headers instead of the platforms they know (XSPLATFORM). Declares only. */

#ifndef SKYSLOT_XS_PLATFORM_H
#define SKYSLOT_XS_PLATFORM_H

#undef mxLinux
#define mxLinux 1
#define mxExport extern
#define mxImport extern
#define XS_FUNCTION_NORETURN __attribute__((noreturn))

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* as the SDK has it on the ESP32: small hash tables, and no CESU-8, so that the length of an emoji is 1 */
#define mxTableMinLength 1

#if INTPTR_MAX == INT64_MAX
	#define mx32bitID 1
#endif

/* heap.c's */
#define mxMachinePlatform void* host;

#define mxUseDefaultBuildKeys 1
#define mxUseDefaultParseScript 1
#define mxUseDefaultSharedChunks 1

/* the device's clock and its randomness */
typedef struct timeval c_timeval;
#define c_timezone timezone
#define c_gettimeofday host_gettimeofday
#define c_rand host_rand
#define C_RAND_MAX 0x7fffffff
extern int host_gettimeofday(struct timeval* now, void* zone);
extern int host_rand(void);

/* what XS reports on a chip's serial line */
#define c_vprintf hostReport
extern void hostReport(const char* format, va_list arguments);

#endif
