"""Trains the SentencePiece unigram tokenizer on prompts of the world's grammar (no rendering).

    python -m train.make_tokenizer --out runs/tokenizer --prompts 4000

Ids follow mT5: 0 padding, 1 end, 2 unknown. Bytes are pieces too, so any prompt can be written.
"""

import argparse
import io
from pathlib import Path

import sentencepiece

from world import WorldConfig, split_seed
from world.prompt import describe
from world.scene import sample_scene


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--prompts", type=int, default=4000)
    parser.add_argument("--pieces", type=int, default=512)
    arguments = parser.parse_args()
    config = WorldConfig(frames=5)
    prompts = [
        describe(sample_scene(split_seed("train", i), config)) for i in range(arguments.prompts)
    ]
    # SentencePiece takes pieces from what several different words share, a comma or a stop counted
    # in; written like this, each word of the grammar can become a piece of its own.
    words = sorted({word.strip(",.") for prompt in prompts for word in prompt.split()})
    prompts += [f"{word} {word}, {word}." for word in words]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(prompts),
        model_writer=model,
        model_type="unigram",
        vocab_size=arguments.pieces,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        byte_fallback=True,
        hard_vocab_limit=False,
        num_threads=1,
    )
    Path(arguments.out).mkdir(parents=True, exist_ok=True)
    (Path(arguments.out) / "spiece.model").write_bytes(model.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    lengths = sorted(len(processor.encode(prompt)) for prompt in prompts)
    print(
        f"{processor.get_piece_size()} pieces; prompt length median {lengths[len(lengths) // 2]}, "
        f"99 % {lengths[len(lengths) * 99 // 100]}, longest {lengths[-1]}"
    )


if __name__ == "__main__":
    main()
