/* Time. */
#ifndef MIEN_UTIL_CLOCK_H
#define MIEN_UTIL_CLOCK_H

/* Seconds of a clock that only goes forward. */
double clock_seconds(void);

/* The same to a few milliseconds, for less: for what asks with every record. */
double clock_coarse(void);

#endif
