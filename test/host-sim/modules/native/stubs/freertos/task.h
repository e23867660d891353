#pragma once
#include "freertos/FreeRTOS.h"
typedef const void *TaskHandle_t;
TaskHandle_t xTaskGetHandle(const char *name);
void vTaskSuspend(TaskHandle_t task);
void vTaskResume(TaskHandle_t task);
void vTaskDelete(TaskHandle_t task);
BaseType_t xTaskCreatePinnedToCore(void (*run)(void *), const char *name, int bytes, void *argument, int priority, void *handle, int core);
TickType_t xTaskGetTickCount(void);
