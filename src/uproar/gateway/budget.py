"""What all rooms of one process share: the memory of their rings, and running compressors."""

RINGS_BYTES = 512 << 20
ROOM_BYTES = 16 << 20  # of one room's ring, however few rooms there are
CHAINS = 256  # each takes 256 KiB; the streams beyond get every frame deflated by itself


class Budget:
    """`rings_bytes` in equal shares, and at most `chains` compressors at once."""

    def __init__(self, rings_bytes: int = RINGS_BYTES, chains: int = CHAINS) -> None:
        self._rings_bytes = rings_bytes
        self._chains = chains
        self.rooms = 0

    @property
    def ring_bytes(self) -> int:
        """What one room's ring may hold now."""
        return min(ROOM_BYTES, self._rings_bytes // max(1, self.rooms))

    def take_chain(self) -> bool:
        """Whether one more compressor may run; if so it is counted."""
        if not self._chains:
            return False
        self._chains -= 1
        return True

    def give_chain(self) -> None:
        """One ended."""
        self._chains += 1
