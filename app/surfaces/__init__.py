"""The HTTP surfaces: each translates one vendor's words, or our own, into the engine's."""

from app.surfaces import connectif, cordial, native, voucherify
from app.web.surface import Surfaces

SURFACES = Surfaces((connectif.SURFACE, voucherify.SURFACE, cordial.SURFACE, native.SURFACE))
