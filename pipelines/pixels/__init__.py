"""Pictures: decoded, moved, recoloured."""
