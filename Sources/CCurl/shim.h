#include <curl/curl.h>

// curl_easy_setopt and curl_easy_getinfo take variable arguments, which Swift does not call.

typedef size_t (*aloft_curl_callback)(char *bytes, size_t size, size_t count, void *context);

static inline void aloft_curl_begin(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline CURLcode aloft_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode aloft_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode aloft_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode aloft_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode aloft_curl_set_callback(CURL *handle, CURLoption option, aloft_curl_callback value) {
    return curl_easy_setopt(handle, option, value);
}
