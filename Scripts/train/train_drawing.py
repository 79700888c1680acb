"""Stage 0b: the network that draws first pictures, and the words of all. Resumable.

    torchrun --nproc_per_node 2 -m train.train_drawing --latents runs/latents \
        --pictures runs/pictures --tokenizer runs/tokenizer/spiece.model \
        --vae runs/vae/checkpoint.pt --out runs/drawing --minutes 60

First the text encoder learns which words stand together, and two others what pictures show
(`sight`, `likeness`); then the network to say from prompt and tracks what is where (`naming`), on
tracks that are told of other objects than they came from; then, beside it, to draw that
(`drawing`), so that the others see it. The stages on clips take the text encoder as it is. With
`--words` this one does, too, and does not begin with naming: more drawing for a model whose other
stages are done.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from reference import model_directory

from . import drawing
from .data import channel_importance
from .drawing import Pictures
from .generator import Generator
from .likeness import Likeness, Pieces
from .make_latents import load_vae
from .naming import Naming
from .sight import Discriminator, Sight
from .training import (
    Average,
    Progress,
    Running,
    Workers,
    arguments,
    changed,
    optimizers,
    reading,
    take_fitting,
    take_words,
    told,
    update,
    weights,
)


@dataclass
class Recipe:
    learning_rate: float = 1.5e-3
    warmup: int = 60
    decay: float = 0.7
    words: float = 0.04  # share of the time that only learns which words stand together, and to see
    told: int = 64  # prompts of such a step, and
    looked_at: int = 40  # pictures
    naming: float = 0.07  # share of the time, after that, that only names
    recast: int = 12  # pictures of such a step, and
    recast_beside: int = 4  # of a step that draws as well
    pictures: int = 22  # drawn in a step, of which
    begun: int = 10  # the network has begun itself,
    steps: int = 4  # a drawing of so many steps
    names: float = 0.3  # weight of the naming of what is drawn
    seen: float = 0.1  # weight of what the judge sees of it,
    ended: float = 0.3  # and of what was begun
    fooled: float = 0.05  # weight of objects not taken for true ones
    doubt: float = 0.3  # learning rate of who takes them, of that of the rest
    alike: float = 0.03  # weight of objects whose pixels have the shape that was asked for
    text_dropout: float = 0.1
    average: float = 0.996
    seed: int = 1


def words_loss(networks, pictures, count, workers, log):
    """Which words stand together in prompts, for the text encoder alone."""
    prompts = pictures.recast.flatten(0, 1)
    ids = prompts[pictures.chance(count, len(prompts))].long().to(workers.device)
    with workers.precision():
        text = networks.model.text(ids)
    return networks.naming.text_loss(pictures.words, ids, text.float(), log)


def sight_loss(networks, vae, pictures, count, workers, log):
    """What true pictures show."""
    batch, _, named = pictures.batch(count, 0.0)
    latents, named = batch.latents[:, :, 0].to(workers.device), named.to(workers.device)
    everyone = torch.ones_like(named.counts)
    pieces = Pieces(named, latents.shape[-2:], pictures.cell)
    with torch.no_grad():
        true = pieces.of(vae, latents)
    total = networks.likeness.loss(true, pieces.true, log, "true", True)
    deviation = pictures.deviation
    return total + networks.sight.loss(latents, deviation, named, everyone, log, "true", True)


def naming_loss(networks, pictures, count, workers, log):
    """Names what prompts say of tracks that came from something else: from noise alone."""
    shown, ids, named = pictures.recast_batch(count)
    shown, ids, named = (x.to(workers.device) for x in (shown, ids, named))
    noise = torch.randn(count, *pictures.latents.shape[1:], device=workers.device)[:, :, None]
    with workers.precision():
        text = networks.model.text(ids)
        drawing.clean(networks.model, noise, noise.new_ones(count), shown, text)
    total = networks.naming.loss(named, noise.shape[-1], log, "recast")
    if text.requires_grad:
        total = total + networks.naming.text_loss(pictures.words, ids, text.float(), log)
    return total


def begin(networks, settings, workers):
    """Takes what fits of `--weights`: of a checkpoint of this stage, all networks."""
    if Path(settings.weights).is_dir():
        begun = {}
        state = weights(settings.weights, workers.device, model_directory.DRAWING)
    else:
        begun = torch.load(settings.weights, map_location=workers.device)
        state = begun["average"]
    skip = ("text_encoder",) if settings.new_words else ()
    anew = take_fitting(networks.model, state, skip)
    others = {name: network for name, network in vars(networks).items() if name != "model"}
    for name, network in others.items():
        if name in begun and not settings.new_words:
            network.load_state_dict(begun[name])
        else:
            anew.append(name)
    told(anew, workers)


def main():
    settings = arguments(
        __doc__,
        60,
        latents="folder of make_latents, for how much each channel matters",
        pictures="folder of make_pictures",
        vae="checkpoint or model directory of the autoencoder",
        weights="optional checkpoint or model directory to begin from, where weights fit",
        words="optional checkpoint or model directory whose text encoder to keep",
        new_words="flag: the weights are of another tokenizer; begin the text encoder anew",
    )
    counts = ("told", "looked_at", "recast", "recast_beside", "pictures", "begun")
    recipe, workers = changed(Recipe(), settings, *counts), Workers(settings)
    torch.manual_seed(recipe.seed)
    model = Generator(drawing.SIZES)
    channels = model.transformer.config.out_channels
    networks = drawing.Networks(
        model, Naming(model), Sight(channels), Discriminator(channels), Likeness()
    )
    everyone = nn.ModuleList(vars(networks).values()).to(workers.device)
    vae = load_vae(settings.vae).to(workers.device)
    if settings.weights:
        begin(networks, settings, workers)
    if settings.words:
        take_words(model, settings.words)
    learning = nn.ModuleList((model, networks.naming, networks.sight))
    optimizer_list = optimizers(learning, recipe.learning_rate)
    doubting, looking = (
        torch.optim.AdamW(network.parameters(), betas=(0.5, 0.98), weight_decay=0.0)
        for network in (networks.discriminator, networks.likeness)
    )
    average = Average(model)
    progress = Progress(
        settings, workers, vars(networks), [*optimizer_list, doubting, looking], average
    )
    clock = progress.clock
    read = reading(settings, model, workers, recipe, progress.step)
    pictures = Pictures(settings.pictures, cell=model.rules.spatial_compression, **read)
    channels = channel_importance(settings.latents)
    torch.manual_seed(workers.seed(recipe.seed, progress.step))

    log = Running()
    while clock.running:
        spent = clock.elapsed / clock.limit
        if spent < recipe.words:
            loss = sight_loss(networks, vae, pictures, recipe.looked_at, workers, log)
            if not settings.words:
                loss = loss + words_loss(networks, pictures, recipe.told, workers, log)
        elif spent < recipe.words + recipe.naming and not settings.words:
            loss = naming_loss(networks, pictures, recipe.recast, workers, log)
        else:
            loss = naming_loss(networks, pictures, recipe.recast_beside, workers, log)
            loss = recipe.names * loss + drawing.loss(
                networks, vae, pictures, recipe, channels, workers, log
            )
        loss.backward()
        (clock.elapsed,) = workers.average(everyone, clock.now())
        rate = recipe.learning_rate * clock.rate(progress.step, recipe.warmup, recipe.decay)
        update(learning, optimizer_list, rate)
        update(networks.discriminator, [doubting], recipe.doubt * rate)
        update(networks.likeness, [looking], rate)
        average.update(model, recipe.average, progress.step)
        progress.advance(loss, log, every=20)
    progress.end(log)


if __name__ == "__main__":
    main()
