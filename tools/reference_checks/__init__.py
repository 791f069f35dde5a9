"""What `tools/verify_reference.py` checks: one file a method.

Each file registers its kinds of reference files; the first that fits is taken.
"""
from . import lmim  # noqa: F401
from . import seqclr  # noqa: F401
from . import masks  # noqa: F401
from . import jepa  # noqa: F401
from . import dig  # noqa: F401
from . import ssm  # noqa: F401
from . import ccd  # noqa: F401
from . import comer  # noqa: F401
from . import rope  # noqa: F401
from . import deform_conv  # noqa: F401
from . import pixels  # noqa: F401
from . import siga  # noqa: F401
from . import darling  # noqa: F401
from . import hsg  # noqa: F401
from . import in_context  # noqa: F401
from . import odm  # noqa: F401
