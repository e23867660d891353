/* esp_http_client over sockets: one connection for each request, HTTP/1.1, bodies with a length. */

#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "idf.h"

struct esp_http_client {
    esp_http_client_config_t config;
    char host[64], port[8], path[256], headers[1024];
    int socket, status;
    int64_t remaining;
};

esp_http_client_handle_t esp_http_client_init(const esp_http_client_config_t *config)
{
    esp_http_client_handle_t client = calloc(1, sizeof *client);
    client->config = *config;
    client->socket = -1;
    strcpy(client->port, "80");
    if (sscanf(config->url, "http://%63[^:/]:%7[0-9]%255s", client->host, client->port, client->path) < 3) {
        free(client);
        return NULL;
    }
    return client;
}

esp_err_t esp_http_client_set_header(esp_http_client_handle_t client, const char *key, const char *value)
{
    size_t used = strlen(client->headers);
    snprintf(client->headers + used, sizeof client->headers - used, "%s: %s\r\n", key, value);
    return ESP_OK;
}

esp_err_t esp_http_client_open(esp_http_client_handle_t client, int write_length)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
    if (getaddrinfo(client->host, client->port, &hints, &found) != 0) return ESP_FAIL;
    client->socket = socket(found->ai_family, SOCK_STREAM, 0);
    int failed = connect(client->socket, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (failed) return ESP_FAIL;
    char head[2048], length[48] = "";
    if (client->config.method == HTTP_METHOD_POST) snprintf(length, sizeof length, "Content-Length: %d\r\n", write_length);
    int size = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n%s%s\r\n",
                        client->config.method == HTTP_METHOD_POST ? "POST" : "GET", client->path, client->host, client->port,
                        client->headers, length);
    return write(client->socket, head, size) == size ? ESP_OK : ESP_FAIL;
}

int esp_http_client_write(esp_http_client_handle_t client, const char *bytes, int length)
{
    return write(client->socket, bytes, length);
}

static bool read_line(int socket, char *line, size_t size)
{
    size_t used = 0;
    char byte;
    while (read(socket, &byte, 1) == 1) {
        if (byte == '\n') {
            line[used] = 0;
            return true;
        }
        if (byte != '\r' && used + 1 < size) line[used++] = byte;
    }
    return false;
}

int64_t esp_http_client_fetch_headers(esp_http_client_handle_t client)
{
    char line[512];
    if (!read_line(client->socket, line, sizeof line) || sscanf(line, "HTTP/1.1 %d", &client->status) != 1) return -1;
    while (read_line(client->socket, line, sizeof line)) {
        if (line[0] == 0) return client->remaining;
        char *value = strchr(line, ':');
        if (value == NULL) return -1;
        *value++ = 0;
        while (*value == ' ') value++;
        if (strcasecmp(line, "content-length") == 0) client->remaining = atoll(value);
        esp_http_client_event_t event = { HTTP_EVENT_ON_HEADER, line, value };
        if (client->config.event_handler) client->config.event_handler(&event);
    }
    return -1;
}

int esp_http_client_get_status_code(esp_http_client_handle_t client) { return client->status; }

int esp_http_client_read(esp_http_client_handle_t client, char *buffer, int length)
{
    if (client->remaining < length) length = client->remaining;
    int got = length > 0 ? read(client->socket, buffer, length) : 0;
    if (got > 0) client->remaining -= got;
    return got;
}

int esp_http_client_read_response(esp_http_client_handle_t client, char *buffer, int length)
{
    int used = 0, got;
    while (used < length && (got = esp_http_client_read(client, buffer + used, length - used)) > 0) used += got;
    return used;
}

esp_err_t esp_http_client_close(esp_http_client_handle_t client)
{
    if (client->socket >= 0) close(client->socket);
    client->socket = -1;
    return ESP_OK;
}

esp_err_t esp_http_client_cleanup(esp_http_client_handle_t client)
{
    free(client);
    return ESP_OK;
}

esp_err_t esp_crt_bundle_attach(void *configuration)
{
    (void)configuration;
    return ESP_OK;
}
