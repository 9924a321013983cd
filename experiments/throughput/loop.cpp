// The limit: one plastic layer of LIF cells as a plain loop, the arithmetic of the program that Brian2 writes, by hand.
//
// loop INPUTS CELLS FIXATIONS STEPS BLANK WEIGHTS RATES OUT: reads weights (inputs x cells) and rates (fixations x inputs)
// as doubles, learns, writes the weights; prints input spikes and seconds of CPU time.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <vector>

static inline double uniform(int64_t seed, int64_t fixation, int64_t step, int64_t cell)
{
    const uint64_t parts[4] = {(uint64_t)seed, (uint64_t)fixation, (uint64_t)step, (uint64_t)cell};
    uint64_t x = 0;
    for (int k = 0; k < 4; k++) {
        x += 0x9E3779B97F4A7C15ULL + parts[k];
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
        x ^= x >> 31;
    }
    return (x >> 11) * (1.0 / 9007199254740992.0);
}

static std::vector<double> read(const char* name, size_t count)
{
    std::vector<double> values(count);
    std::ifstream(name, std::ios::binary).read((char*)values.data(), count * sizeof(double));
    return values;
}

int main(int, char** argv)
{
    const int inputs = atoi(argv[1]), cells = atoi(argv[2]), fixations = atoi(argv[3]), steps = atoi(argv[4]), blank = atoi(argv[5]);
    std::vector<double> w = read(argv[6], (size_t)inputs * cells), rates = read(argv[7], (size_t)fixations * inputs);
    std::vector<double> elig((size_t)inputs * cells), v(cells), current(cells), recent(cells), last(cells, -1.0), bias(cells), mean(cells), psi(cells);
    std::vector<int> spikes(inputs);
    std::vector<double> watched;
    const double dt = 1e-3, tau_m = 10e-3, tau_s = 5e-3, refractory = 2e-3, tau_e = 60e-3, tau_a = 60e-3, unit_rate = 280, input_rate = 80;
    const double gain = 4.0, eta = 1e-4, decay = 1e-3, homeostasis = 1e-3, target = 0.15, mean_rate = 0.01;
    const double unit = gain / (input_rate * tau_s), elig_unit = 1 / (input_rate * tau_e * (1 - exp(-(steps - blank) * dt / tau_e)));
    const double fade_m = exp(-dt / tau_m), fade_s = exp(-dt / tau_s), fade_a = exp(-dt / tau_a);
    const double share = tau_s / (tau_s - tau_m) * (fade_s - fade_m);
    long count = 0;
    const std::clock_t start = std::clock();
    for (int f = 0; f < fixations; f++) {
        for (int step = 0; step < steps; step++) {
            const double now = step * dt, growth = exp(now / tau_e);
            for (int i = 0; i < cells; i++) {
                const bool free = now - last[i] >= refractory - dt / 2;
                v[i] = free ? bias[i] + (v[i] - bias[i]) * fade_m + current[i] * share : v[i];
                current[i] *= fade_s;
                recent[i] *= fade_a;
            }
            int fired = 0;
            if (step >= blank)
                for (int j = 0; j < inputs; j++)
                    if (uniform(0, f, step, j) < input_rate * rates[(size_t)f * inputs + j] * dt)
                        spikes[fired++] = j;
            count += fired;
            for (int i = 0; i < cells; i++) {
                const double height = 1 - fabs(v[i] - 1);
                psi[i] = growth * (height > 0 ? height : 0);
            }
            for (int k = 0; k < fired; k++) {
                const double* __restrict__ row = &w[(size_t)spikes[k] * cells];
                double* __restrict__ trace = &elig[(size_t)spikes[k] * cells];
                for (int i = 0; i < cells; i++) {
                    current[i] += unit * row[i];
                    trace[i] += psi[i];
                }
            }
            for (int i = 0; i < cells; i++)
                if (v[i] > 1 && now - last[i] >= refractory - dt / 2) {
                    v[i] = 0;
                    recent[i] += 1;
                    last[i] = now;
                }
        }
        const double end = exp(-steps * dt / tau_e), whole = (1 - fade_a) / (unit_rate * dt * (1 - exp(-(steps - blank) * dt / tau_a)));
        for (int j = 0; j < inputs; j++)
            for (int i = 0; i < cells; i++) {
                const size_t s = (size_t)j * cells + i;
                w[s] += eta * (elig[s] * end * elig_unit - decay * w[s]);
                elig[s] = 0;
            }
        for (int i = 0; i < cells; i++) {
            const double output = recent[i] * whole;
            watched.push_back(output);
            mean[i] += mean_rate * (output - mean[i]);
            bias[i] += homeostasis * (target - output);
            v[i] = current[i] = recent[i] = 0;
            last[i] = -1;
        }
    }
    const double seconds = (double)(std::clock() - start) / CLOCKS_PER_SEC;
    std::ofstream(argv[8], std::ios::binary).write((char*)w.data(), w.size() * sizeof(double));
    printf("%ld %.6f %zu\n", count, seconds, watched.size());
}
