{# Two clocks, steps and fixations, in whole numbers of steps: no search and no call of the system's clock at each step.
A program whose parent process has ended ends at the next saccade, for its results would not be read. #}
{% macro cpp_file() %}
#include "network.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#ifndef _WIN32
#include <unistd.h>
#endif

static bool orphaned()
{
#ifdef _WIN32
    return false;
#else
    static const char* const parent = std::getenv("CORTEXSIM_PARENT");
    return parent != NULL && std::atol(parent) != (long)getppid();
#endif
}

double Network::_last_run_time = 0.0;
double Network::_last_run_completed_fraction = 0.0;
bool Network::_globally_stopped = false;
bool Network::_globally_running = false;

Network::Network() { t = 0.0; }

void Network::clear() { objects.clear(); }

void Network::add(Clock* clock, codeobj_func func)
{
    objects.push_back(std::make_pair(clock, func));
}

void Network::run(const double duration, void (*)(const double, const double, const double, const double), const double)
{
    std::vector<Clock*> clocks;
    double step = 0.0;
    for (auto& object : objects)
    {
        if (std::find(clocks.begin(), clocks.end(), object.first) != clocks.end())
            continue;
        clocks.push_back(object.first);
        step = clocks.size() == 1 ? object.first->dt[0] : std::min(step, object.first->dt[0]);
        object.first->timestep[0] = 0;
        object.first->t[0] = 0.0;
    }
    std::vector<long> every;
    for (auto clock : clocks)
        every.push_back(std::lround(clock->dt[0] / step));
    // What runs at every step, and what runs at a saccade, each in Brian2's order.
    std::vector<codeobj_func> always, sometimes, seldom;
    for (auto& object : objects)
    {
        const bool slow = std::lround(object.first->dt[0] / step) > 1;
        if (object.second)
        {
            sometimes.push_back(object.second);
            (slow ? seldom : always).push_back(object.second);
        }
    }
    long period = 1;
    for (auto length : every)
        period = std::max(period, length);
    const long steps = std::lround(duration / step);
    const std::clock_t start = std::clock();
    Network::_globally_running = true;
    for (long now=0; now<steps && !Network::_globally_stopped; now++)
    {
        const bool saccade = now % period == 0;
        if (saccade && orphaned())
            std::exit(1);
        for (auto func : saccade ? sometimes : always)
            func();
        for (size_t k=0; k<clocks.size(); k++)
            if (every[k] == 1 || saccade)
                clocks[k]->tick();
    }
    // The saccade that ends the last fixation.
    for (auto func : seldom)
        func();
    Network::_globally_running = false;
    t = duration;
    _last_run_time = ((double)(std::clock() - start)) / CLOCKS_PER_SEC;
    _last_run_completed_fraction = 1.0;
}
{% endmacro %}

{% macro h_file() %}
#ifndef _BRIAN_NETWORK_H
#define _BRIAN_NETWORK_H

#include <vector>
#include <utility>
#include "brianlib/clocks.h"

typedef void (*codeobj_func)();

class Network
{
public:
    std::vector< std::pair< Clock*, codeobj_func > > objects;
    double t;
    static double _last_run_time;
    static double _last_run_completed_fraction;
    static bool _globally_stopped;
    static bool _globally_running;

    Network();
    void clear();
    void add(Clock *clock, codeobj_func func);
    void run(const double duration, void (*report_func)(const double, const double, const double, const double), const double report_period);
};

#endif
{% endmacro %}
