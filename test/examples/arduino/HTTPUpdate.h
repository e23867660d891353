// What the sketch uses of the ESP32 core 3.3: declarations as in its libraries/HTTPUpdate/src/HTTPUpdate.h, WiFi.h and Arduino.h. Only compiled.
#pragma once

#include <cstdio>
#include <string>

class String : public std::string {
public:
  String(const char *text = "") : std::string(text) {}
};

class WiFiClient {};

enum HTTPUpdateResult { HTTP_UPDATE_FAILED, HTTP_UPDATE_NO_UPDATES, HTTP_UPDATE_OK };
typedef HTTPUpdateResult t_httpUpdate_return;

class HTTPUpdate {
public:
  void rebootOnUpdate(bool reboot);
  void setAuthorization(const char *user, const char *password);
  t_httpUpdate_return update(WiFiClient &client, const String &url, const String &currentVersion = "");
  int getLastError();
  String getLastErrorString();
};
extern HTTPUpdate httpUpdate;

enum wl_status_t { WL_IDLE_STATUS, WL_CONNECTED = 3 };
enum wifi_mode_t { WIFI_STA = 1 };
class WiFiClass {
public:
  bool mode(wifi_mode_t mode);
  wl_status_t begin(const char *ssid, const char *passphrase);
  wl_status_t status();
  String macAddress();
};
extern WiFiClass WiFi;

class HardwareSerial {
public:
  void begin(unsigned long baud);
  size_t printf(const char *format, ...) __attribute__((format(printf, 2, 3)));
  size_t println(const char *text);
};
extern HardwareSerial Serial;

unsigned long millis();
void delay(unsigned long ms);
long random(long howBig);
void setup();
void loop();
// arduino-cli declares the functions of a sketch in front of it.
void checkForUpdate();
