// What a static libstdc++ of today asks of glibc and glibc 2.28 does not have. Where it is true,
// counters of references do without atomic instructions; never true is always right.
char __libc_single_threaded = 0;
