// uWebSockets: `peer PORT BYTES RATE SECONDS`; its own publish to a topic that everybody is subscribed to.
//
// It comes as no package, so whoever measures it builds it beside a checkout with its submodule uSockets made:
//   c++ -std=c++20 -O2 -I uWebSockets/src -I uSockets/src -o peer peer.cpp uSockets/uSockets.a -lz -pthread
// (uSockets by `make`; with -DUWS_NO_ZLIB and without -lz where zlib is missing), and names the program in
// BENCH_UWEBSOCKETS.
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include "App.h"

static const std::string TAIL = R"("}]})";

struct nothing {};

static std::string stamped(int number, size_t size) {
    char head[128];
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long ns = now.tv_sec * 1000000000LL + now.tv_nsec;
    snprintf(head, sizeof head, R"({"type":"batch","position":"peer.%010d","comments":[{"text":"t=%lld;)", number, ns);
    std::string text = head;
    text.resize(size - TAIL.size(), 'x');
    return text + TAIL;
}

// A line on the standard input begins it, `done` on the standard output ends it; the input's end ends the peer.
static void publish(uWS::App *app, uWS::Loop *loop, size_t size, double rate, double seconds) {
    std::string word;
    if (!std::getline(std::cin, word)) std::exit(0);
    auto began = std::chrono::steady_clock::now();
    for (int number = 1; number <= int(rate * seconds); number++) {
        loop->defer([=] { app->publish("live", stamped(number, size), uWS::OpCode::TEXT); });
        std::this_thread::sleep_until(began + std::chrono::duration<double>(number / rate));
    }
    std::cout << "done" << std::endl;
    while (std::getline(std::cin, word)) continue;
    std::exit(0);
}

int main(int, char **words) {
    uWS::App app;
    app.ws<nothing>("/*", {.open = [](auto *viewer) { viewer->subscribe("live"); }});
    app.listen("127.0.0.1", atoi(words[1]), [](auto *listener) {
        if (!listener) std::exit(1);
    });
    std::thread(publish, &app, uWS::Loop::get(), size_t(atoi(words[2])), atof(words[3]), atof(words[4])).detach();
    app.run();
}
