typedef int BaseType_t;
#define pdPASS 1
