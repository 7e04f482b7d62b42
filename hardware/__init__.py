"""What all firmware shares: boards and devices, the stream model, worker processes, hashes of files."""

from siliconv.hardware.boards import Board, board, board_of_part

__all__ = ["Board", "board", "board_of_part"]
