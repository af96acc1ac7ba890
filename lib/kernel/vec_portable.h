/* Portable vectors of four floats, of the compiler's. vec_end.h takes the names away again. */
#define TARGET
#define VEC             vec4
#define LANES           4
#define LOAD(p)         (*(const vec4 *)(const void *)(p))
#define STORE(p, v)     (*(vec4 *)(void *)(p) = (v))
#define SET(x)          ((vec4){x, x, x, x})
#define FMA(a, b, c)    ((a) * (b) + (c))
#define CHOOSE(m, a, b) ((vec4)(((mask4)(m) & (mask4)(a)) | (~(mask4)(m) & (mask4)(b))))
#define MAX(a, b)       CHOOSE((a) > (b), a, b)
#define MIN(a, b)       CHOOSE((a) < (b), a, b)
