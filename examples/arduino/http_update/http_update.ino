// Updates itself from a Skyslot server with the HTTPUpdate library of the ESP32 core.

#include <HTTPUpdate.h>
#include <WiFi.h>

const char *SSID = "network";
const char *PASSWORD = "password";
// The last part is the device type, as it is called on the server.
const char *SERVER = "http://192.168.1.10:8080/api/arduino/scales";
// Of this sketch: change it with every release, and upload the release under the same version.
const char *VERSION = "1.0.0";
// Only if the type needs a token: the device's own (skd_...) or the type's (ske_...).
const char *TOKEN = "";
const unsigned long CHECK_MS = 120000;

unsigned long nextCheck = 0;

void setup() {
  Serial.begin(115200);
  WiFi.mode(WIFI_STA);
  WiFi.begin(SSID, PASSWORD);
  if (TOKEN[0]) httpUpdate.setAuthorization(WiFi.macAddress().c_str(), TOKEN);
  httpUpdate.rebootOnUpdate(true);
}

void loop() {
  // Your own work comes here.
  if (WiFi.status() == WL_CONNECTED && (long)(millis() - nextCheck) >= 0) {
    checkForUpdate();
    // A tenth more or less, so that not all devices of a fleet ask at once.
    nextCheck = millis() + CHECK_MS * 9 / 10 + random(CHECK_MS / 5);
  }
  delay(100);
}

void checkForUpdate() {
  WiFiClient client;
  // Restarts after an update.
  switch (httpUpdate.update(client, SERVER, VERSION)) {
    case HTTP_UPDATE_FAILED:
      Serial.printf("no update: %d %s\n", httpUpdate.getLastError(), httpUpdate.getLastErrorString().c_str());
      break;
    case HTTP_UPDATE_NO_UPDATES:
      Serial.println("nothing newer");
      break;
    case HTTP_UPDATE_OK:
      break;
  }
}
