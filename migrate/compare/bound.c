/* What a sample says of all: the exact upper bound of Clopper and Pearson (The use of confidence or
 * fiducial limits illustrated in the case of the binomial, 1934). It is the share p at which so few
 * differences, or fewer, would be found in only 1 - confidence of all samples. For no differences
 * it is 1 - (1 - confidence)^(1/n), near 3/n at 95 %.
 */
#include "backstory/compare.h"

#include <math.h>

#define HALVINGS 60

/* P(X <= k) of a binomial distribution; its terms are added from the last one down, each from the
 * one before, so that nothing large is ever computed. */
static double at_most(uint64_t k, uint64_t n, double p) {
    const double odds = (1 - p) / p;
    const double log_last = lgamma((double)n + 1) - lgamma((double)k + 1) -
                            lgamma((double)(n - k) + 1) + (double)k * log(p) +
                            (double)(n - k) * log1p(-p);
    double term = exp(log_last);
    double sum = 0;
    for (uint64_t i = k; term > 0; i--) {
        sum += term;
        if (i == 0 || term < sum * 1e-18) {
            break;
        }
        term *= (double)i / (double)(n - i + 1) * odds;
    }
    return sum;
}

double bst_sample_bound(uint64_t found, uint64_t sampled, double confidence) {
    double low = sampled > 0 ? (double)found / (double)sampled : 1;
    double high = 1;
    if (found >= sampled) {
        return 1;
    }
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (at_most(found, sampled, middle) > 1 - confidence) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}
