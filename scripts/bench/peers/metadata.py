"""loadmat and IMDB-WIKI's filter rules in numpy. Argument: the .mat file. Says what it kept."""
import sys

import numpy as np
import scipy
import scipy.io

from common import serve

kept = {}


def work():
    key = sys.argv[2]
    m = scipy.io.loadmat(sys.argv[1])[key][0, 0]
    dob, taken = m["dob"][0].astype(np.int64), m["photo_taken"][0].astype(np.int64)
    # MATLAB counts days from year 0, numpy from 1970, which is MATLAB's day 719529.
    born = (dob - 719529).astype("datetime64[D]")
    year = born.astype("datetime64[Y]").astype(int) + 1970
    month = born.astype("datetime64[M]").astype(int) % 12 + 1
    age = taken - year - (month >= 7)
    second = m["second_face_score"][0]
    good = ((m["face_score"][0] >= 1) & ~(second > 0) & (age >= 0) & (age <= 100)
            & np.isin(m["gender"][0], [0, 1]))
    path = m["full_path"][0][good]
    box = np.stack([b[0] for b in m["face_location"][0][good]])
    kept.update(count=len(path), years=int(age[good].sum()), box=box, path=path)


work()
serve(work, f"SciPy {scipy.__version__}; {kept['count']} {kept['years']}")
