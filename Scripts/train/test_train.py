"""What must hold in the training stages, on the shipped configuration with random weights."""

from dataclasses import replace
from pathlib import Path

import pytest
import sentencepiece
import torch
import torch.nn.functional as F

from reference import model_directory
from reference.sampler import noise_levels
from world.scene import COLOURS

from .change_latents import fit
from .data import Shown
from .drawing import SIZES, at_first, begun, clean
from .export import keep_change
from .generator import Generator, no_motion, no_prompt
from .likeness import Likeness, Pieces
from .make_latents import image_channels, load_vae, mirror
from .naming import Named, Naming, Words
from .patch_basis import blocks, components, set_linear_code
from .self_forcing import Rollout
from .sight import Discriminator, Sight, misnamed
from .teacher import Guided, sample
from .train_vae import initialize
from .training import Running, take_fitting, weights

SHIPPED = Path(__file__).parents[2] / "Models/solids-320x192"
FRAMES = 9  # latent, three chunks


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = Generator().eval().requires_grad_(False)
    torch.nn.init.normal_(model.transformer.proj_out.weight, std=0.02)
    return model


@pytest.fixture(scope="module")
def drawing():
    torch.manual_seed(0)
    model = Generator(SIZES).eval().requires_grad_(False)
    torch.nn.init.normal_(model.transformer.proj_out.weight, std=0.02)
    return model


@pytest.fixture(scope="module")
def inputs(model):
    """Image channels, tracks and ids of two clips."""
    generator = torch.Generator().manual_seed(1)
    h, w = model.rules.latent_size
    points = torch.rand(2, 1, 5, 2, generator=generator) * torch.tensor([100.0, 60.0]) + 20
    steps = torch.arange(4 * FRAMES)[None, :, None, None] * torch.tensor([0.5, 0.2])
    shown = Shown(
        points + steps,
        torch.ones(2, 4 * FRAMES, 5, dtype=torch.bool),
        points[:, 0],
    )
    ids = torch.zeros(2, model.rules.text.max_tokens, dtype=torch.long)
    ids[:, :4] = torch.tensor([[7, 8, 9, 1], [17, 18, 19, 1]])
    channels = model.transformer.config.out_channels
    return torch.randn(2, channels, FRAMES, h, w, generator=generator), shown, ids


def test_joint_guidance_combines_the_three_velocities_as_the_paper_does(model, inputs):
    image, shown, ids = inputs
    x = torch.randn(image.shape)
    sigma = torch.tensor([0.9, 0.4])
    every = torch.ones(2, dtype=torch.bool)

    def velocity(channels, tracks, prompt):
        clean = Guided(model, channels, tracks, prompt, 0.0, 0.0).clean(x, sigma)
        return (x - clean) / sigma[:, None, None, None, None]

    both = velocity(image, shown, ids)
    motion = velocity(image, shown, no_prompt(ids))
    text = velocity(*no_motion(image, shown, every), ids)
    share = 3.0 / 4.5
    expected = share * motion + (1 - share) * text + 3.0 * (both - motion) + 1.5 * (both - text)
    guided = Guided(model, image, shown, ids, 3.0, 1.5).clean(x, sigma)
    found = (x - guided) / sigma[:, None, None, None, None]
    assert torch.allclose(found, expected, atol=1e-4)


def test_the_ode_of_a_perfect_estimate_ends_at_it_and_passes_its_states():
    truth, noise = torch.randn(2, 3, 4, 5, 6), torch.randn(2, 3, 4, 5, 6)

    class Perfect:
        class model:
            class rules:
                class sampler:
                    shift = 6.0

        def clean(self, x, sigma):
            return truth

    end, states = sample(Perfect(), noise, steps=10, keep=(1.0, 0.75))
    assert torch.allclose(end, truth, atol=1e-5)
    assert torch.allclose(states[0], noise)
    assert torch.allclose(states[1], 0.25 * truth + 0.75 * noise, atol=1e-5)


def test_noise_levels_fall_from_one_to_zero():
    levels = noise_levels(50, 6.0)
    assert levels[0] == 1 and levels[-1] == 0 and levels == sorted(set(levels), reverse=True)


def test_a_clip_without_a_picture_shows_the_teacher_nothing_of_it(model, inputs):
    image, shown, ids = inputs
    nothing = torch.zeros(2, dtype=torch.bool)
    x, sigma = torch.randn(image.shape), torch.tensor([0.9, 0.4])
    one = Guided(model, image, shown, ids, picture=nothing).clean(x, sigma)
    other = Guided(model, -image, shown, ids, picture=nothing).clean(x, sigma)
    assert torch.equal(one, other)


def test_a_rollout_sees_no_chunk_after_its_own(model, inputs):
    image, shown, ids = inputs
    text = model.text(ids)
    later = Shown(shown.points.clone(), shown.visible, shown.origin)
    later.points[:, 4 * 6 :] += 9
    clips = []
    for tracks in (shown, later):
        torch.manual_seed(3)
        clips.append(Rollout(model, image, tracks, text).run(FRAMES, exit_step=1))
    assert torch.equal(clips[0][:, :, :6], clips[1][:, :, :6])
    assert not torch.equal(clips[0][:, :, 6:], clips[1][:, :, 6:])


def test_only_the_exit_step_of_a_rollout_carries_gradient(inputs):
    torch.manual_seed(0)
    model = Generator()
    torch.nn.init.normal_(model.transformer.proj_out.weight, std=0.02)
    image, shown, ids = inputs
    rollout = Rollout(model, image, shown, model.text(ids).detach())
    rollout.next_chunk(exit_step=2)
    assert not any(k.requires_grad or v.requires_grad for k, v in rollout.cache.layers)
    assert rollout.next_chunk(exit_step=2).requires_grad


def one_track(x, y, across=0.0):
    """A track that starts at (x, y) and goes to the right, as a drawing sees it."""
    start, way = torch.tensor([[[x, y]]]), torch.tensor([across, 0.0])
    ahead = start[:, None] + way * torch.tensor([1.0, 2.0, 3.0])[:, None, None]
    return at_first(start, torch.tensor([[True]]), ahead, torch.ones(1, 3, 1))


def test_a_drawing_goes_by_the_prompt_and_the_tracks(drawing):
    h, w = drawing.rules.latent_size
    noise = torch.randn(1, drawing.transformer.config.out_channels, 1, h, w)
    ids = torch.zeros(1, drawing.rules.text.max_tokens, dtype=torch.long)
    ids[0, :3] = torch.tensor([7, 8, 1])
    with torch.no_grad():  # blocks begin without a say in the residual stream of new weights
        drawn = [
            clean(drawing, noise, torch.ones(1), tracks, drawing.text(i))
            for tracks, i in (
                (one_track(40, 30), ids),
                (one_track(40, 30), ids + (ids > 1)),
                (one_track(70, 60), ids),
                (one_track(40, 30, across=20), ids),
            )
        ]
    assert all(not torch.equal(drawn[0], other) for other in drawn[1:])


def test_a_drawing_is_begun_as_it_is_sampled(drawing):
    h, w = drawing.rules.latent_size
    noise = torch.randn(1, drawing.transformer.config.out_channels, 1, h, w)
    ids = torch.zeros(1, drawing.rules.text.max_tokens, dtype=torch.long)
    ids[0, :3] = torch.tensor([7, 8, 1])
    shown, text = one_track(40, 30), drawing.text(ids)
    x, sigma = begun(drawing, noise, shown, text, steps=4, taken=0)
    assert torch.equal(x, noise) and sigma == 1
    torch.manual_seed(5)
    x, sigma = begun(drawing, noise, shown, text, steps=4, taken=1)
    torch.manual_seed(5)
    with torch.no_grad():
        estimate = clean(drawing, noise, torch.ones(1), shown, text)
    torch.testing.assert_close(x, (1 - sigma) * estimate + sigma * torch.randn_like(noise))
    assert sigma == noise_levels(4, drawing.rules.sampler.shift)[1]


def test_a_picture_without_tracks_has_no_track_channels(drawing):
    places = torch.rand(1, 4, 1, 2) * 60
    shown = at_first(places[:, 0], torch.tensor([[False]]), places[:, 1:], torch.ones(1, 3, 1))
    assert (drawing.no_picture(shown, drawing.rules.latent_size) == 0).all()


def test_a_clause_is_of_the_object_whose_colour_it_names():
    path = str(SHIPPED / "tokenizer/spiece.model")
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=path)
    prompt = "a blue cube on the right and a red ball. the camera stands still."
    ids = torch.tensor([[*tokenizer.encode(prompt), 1, 0, 0]])
    red, blue = (list(COLOURS).index(name) for name in ("red", "blue"))
    cast = torch.tensor([[[red, 0], [blue, 1]]])
    found = [
        [tokenizer.id_to_piece(i) for i in ids[0, own].tolist()]
        for own in Words(tokenizer).clauses_of(ids, cast)[0]
    ]
    assert found == [
        ["\u2581a", "\u2581red", "\u2581ball"],
        ["\u2581a", "\u2581blue", "\u2581cube", "\u2581on", "\u2581the", "\u2581right"],
    ]


def test_names_are_asked_of_the_cell_that_a_point_is_in():
    torch.manual_seed(0)
    model = Generator(SIZES).requires_grad_(False)
    naming = Naming(model).requires_grad_(False)
    h, w = model.rules.latent_size
    _, p, q = model.transformer.config.patch_size
    logits = torch.zeros(p * q, len(naming.read.bias) // (p * q))
    logits[1 * q + 0, 3] = 50  # the cell in the second row, first column of each token: colour 3
    naming.read.weight.zero_()
    naming.read.bias.copy_(logits.flatten())
    x = torch.randn(1, model.transformer.config.out_channels, 1, h, w)
    model.clean(
        x,
        torch.full((1, 1), 1000.0),
        model.no_picture(one_track(40, 30), (h, w)),
        torch.randn(1, 9, model.transformer.config.text_dim),
    )

    def colours_right(row, column):
        log = Running()
        what = torch.tensor([[[3, 0]]])
        every = torch.ones(1, 1, 9, dtype=torch.bool)
        point = (torch.tensor([[n]]) for n in (row, column, 1))
        naming.loss(Named(*point, what, every, torch.tensor([True])), w, log, "test")
        return log["test colours"], log["test looks"]

    assert colours_right(2 * p + 1, 3 * q) == (1.0, pytest.approx(1.0))
    assert colours_right(2 * p + 1, 3 * q + 1)[0] == 0.0


def test_sight_judges_an_estimate_without_learning_from_it():
    torch.manual_seed(0)
    sight = Sight(8)
    latents = torch.randn(2, 8, 6, 10, requires_grad=True)
    place = torch.tensor([[1], [4]])
    names = torch.tensor([[[3, 1]], [[0, 0]]])
    clauses = torch.zeros(2, 1, 9, dtype=torch.bool)
    named = Named(
        place, place, torch.ones(2, 1).long(), names, clauses, torch.tensor([True, False])
    )
    sight.loss(latents, 0.3, named, named.counts, Running(), "made", learn=False).backward()
    assert all(p.grad is None for p in sight.parameters())
    assert latents.grad[0].any() and not latents.grad[1].any()  # the second does not count
    sight.loss(latents, 0.3, named, named.counts, Running(), "true", learn=True).backward()
    assert all(p.grad.any() for p in sight.parameters())


def test_sight_learns_to_name_the_cell_that_a_point_is_in():
    torch.manual_seed(0)
    sight, steps = Sight(4), 60
    optimizer = torch.optim.AdamW(sight.parameters(), lr=3e-3)
    row, column = torch.tensor([[2, 3]]).expand(8, -1), torch.tensor([[4, 4]]).expand(8, -1)
    clauses, every = torch.zeros(8, 1, 9, dtype=torch.bool), torch.ones(8, dtype=torch.bool)
    log = Running()
    for _ in range(steps):
        names = torch.randint(1, 6, (8, 2, 2))
        latents = torch.zeros(8, 4, 6, 8)
        latents[:, 0, 2:4, 4] = names[..., 0] - 3.0
        latents[:, 1, 2:4, 4] = names[..., 1] - 3.0
        named = Named(row, column, torch.ones(8, 2).long(), names, clauses, every)
        sight.loss(latents, 0.2, named, every, log, "true", learn=True).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert log["true colours"] > 0.6 and log["true shapes"] > 0.6  # 0.2 by chance


def test_likeness_looks_at_objects_that_are_told_of_and_learns_only_when_it_shall():
    torch.manual_seed(0)
    h, w, points = 16, 20, 4
    row = torch.tensor([[2, 3, 3, 4], [13, 14, 15, 15], [5, 5, 6, 6], [8, 8, 9, 9]])
    column = torch.tensor([[1, 1, 2, 2], [10, 11, 10, 11], [3, 4, 3, 4], [18, 18, 19, 19]])
    owner = torch.tensor([[1, 1, 1, 1], [2, 2, 2, 0], [1, 1, 0, 0], [1, 1, 1, 1]])
    names = torch.tensor([4, 2]).expand(4, points, 2)
    counts = torch.tensor([True, True, True, False])  # the third has too few points
    named = Named(row, column, owner, names, torch.zeros(4, 2, 9, dtype=torch.bool), counts)
    pieces = Pieces(named, (h, w), cell=8)
    assert pieces.places == [(0, 0, 0), (1, 16 - 12, 11 - 6)]
    assert pieces.true.tolist() == [[3, 1], [3, 1]]
    near = pieces.cells[0, 0, ::8, ::8]  # of cells (2..4, 1..2)
    assert near[1:6, 0:3].all() and not near[6:].any() and not near[:, 4:].any()
    near = pieces.cells[1, 0, ::8, ::8]  # of cells (9..11, 5..6)
    assert near[8:12, 4:7].all() and not near[:8].any() and not near[:, 8:].any()

    vae, likeness, log = load_vae(SHIPPED), Likeness(), Running()
    latents = torch.randn(4, vae.config.latent_channels, h, w, requires_grad=True)
    likeness.loss(pieces.of(vae, latents), pieces.true, log, "made", learn=False).backward()
    assert all(p.grad is None for p in likeness.parameters())
    assert latents.grad[0, :, 2, 1].any() and latents.grad[1, :, 14, 10].any()
    assert not latents.grad[0, :, 12:].any() and not latents.grad[2:].any()
    with torch.no_grad():
        seen = pieces.of(vae, latents)
    assert seen[0, :, 16:24, 8:16].any() and not seen[0, :, :, 32:].any()
    likeness.loss(seen, pieces.drawn, log, "drawn", learn=True).backward()
    assert all(p.grad.any() for p in likeness.parameters())
    nothing = Pieces(replace(named, counts=torch.zeros(4, dtype=torch.bool)), (h, w), cell=8)
    assert likeness.loss(nothing.of(vae, latents), nothing.true, log, "no", False) == 0


def test_objects_that_are_misnamed_have_other_shapes_and_nothing_else():
    torch.manual_seed(0)
    owner = torch.tensor([[-1, 0, 1, 1, 2, 2], [1, 1, 1, 2, 3, 3]])
    names = torch.stack((owner.clamp(min=0), (owner + 1) * (owner > 0)), -1)
    place, every = torch.zeros_like(owner), torch.ones(2, dtype=torch.bool)
    named = Named(place, place, owner, names, torch.zeros(2, 3, 9, dtype=torch.bool), every)
    for _ in range(20):
        other = misnamed(named).what
        assert torch.equal(other[..., 0], names[..., 0])
        on = owner > 0
        assert torch.equal(other[~on], names[~on])
        assert (other[on] != names[on]).any(-1).all()
        assert other[on][:, 1].min() >= 1 and other[on][:, 1].max() <= 5
        for row, label in ((0, 1), (0, 2), (1, 1), (1, 3)):  # the same for all of an object
            assert len(other[row][owner[row] == label].unique(dim=0)) == 1


def test_the_discriminator_learns_what_names_look_like_and_sees_only_objects():
    torch.manual_seed(0)
    judge = Discriminator(4)
    optimizer = torch.optim.AdamW(judge.parameters(), lr=3e-3)
    row, column = torch.tensor([[2, 3]]).expand(8, -1), torch.tensor([[4, 4]]).expand(8, -1)
    clauses, every = torch.zeros(8, 1, 9, dtype=torch.bool), torch.ones(8, dtype=torch.bool)
    objects = torch.zeros(8, 6, 8)
    objects[:, 1:5, 3:6] = 1
    owner, log = torch.ones(8, 2).long(), Running()
    for _ in range(120):
        names = torch.randint(1, 6, (8, 1, 2)).expand(-1, 2, -1)
        latents = 0.02 * torch.randn(8, 4, 6, 8)
        latents[:, 0, 1:5, 3:6] += (names[:, :1, 1:] - 3.0) / 5
        named = Named(row, column, owner, names, clauses, every)
        loss = judge.loss(latents, 0.2, objects, named, True, log, "true", True)
        other = misnamed(named)
        loss = loss + judge.loss(latents, 0.2, objects, other, False, log, "misnamed", True)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert log["true"] > 0.6 and log["misnamed"] < 0.4
    latents.requires_grad_()
    judge.loss(latents, 0.2, objects, named, True, log, "drawn", False).backward()
    assert all(p.grad is None for p in judge.parameters())
    assert latents.grad[:, :, 1:5, 3:6].any() and not latents.grad[:, :, 5:].any()


def test_a_mirrored_clip_is_told_and_tracked_the_other_way_round():
    picture = torch.rand(5, 3, 4, 6)
    row = {"latents": picture, "image": picture * 2, "prompt": "on the far left, to the right"}
    row |= {"tracks": torch.tensor([[[1.0, 2.0]]]), "origin": torch.tensor([[0.5, 3.0]])}
    other = mirror(row)
    assert torch.equal(other["image"][..., 0], 2 * picture[..., 5])
    assert other["tracks"].tolist() == [[[5.0, 2.0]]] and other["origin"].tolist() == [[5.5, 3.0]]
    assert other["prompt"] == "on the far right, to the left"
    assert {k: str(v) for k, v in mirror(other).items()} == {k: str(v) for k, v in row.items()}


def test_of_a_students_change_a_share_is_kept():
    torch.manual_seed(0)
    transformer = Generator().transformer
    for last in (transformer.proj_out, transformer.cell_head.conv_out):
        torch.nn.init.normal_(last.weight, std=0.1)
    x, text = torch.randn(1, 112, 2, 8, 8), torch.randn(1, 5, 128)
    whole = transformer(x, torch.full((1, 2), 500.0), text)
    keep_change(transformer, 0.25)
    assert torch.allclose(transformer(x, torch.full((1, 2), 500.0), text), whole / 4, atol=1e-5)
    assert whole.abs().max() > 0.1


def test_a_model_directory_stands_for_the_checkpoints_it_was_made_of():
    student, drawing = Generator(), Generator(SIZES)
    take_fitting(student, weights(SHIPPED))
    drawing.load_state_dict(weights(SHIPPED, transformer=model_directory.DRAWING))
    shipped = model_directory.load(SHIPPED)
    for one, other in (
        (student.transformer, shipped.transformer),
        (drawing.transformer, shipped.drawing),
        (drawing.text_encoder, shipped.text_encoder),
        (load_vae(SHIPPED), shipped.tiny_vae),
    ):
        expected = other.state_dict()
        assert all(torch.equal(v, expected[k]) for k, v in one.state_dict().items())


def test_a_linear_code_is_the_principal_components_of_blocks():
    torch.manual_seed(0)
    vae = load_vae(None)
    initialize(vae)
    rows = torch.randn(2, 40, 4, 3, 2, 3).cumsum(3)  # smooth clips: few components hold them
    video = F.interpolate(rows.flatten(0, 2), scale_factor=16, mode="bilinear") / 12 + 0.5
    video = video.clamp(0, 1).view(2, 160, 3, 32, 48)
    values = blocks(video, vae.config.patch_size, 4)
    set_linear_code(vae, values)
    mean, _, basis = components(values, vae.config.latent_channels)
    code = (values - mean) @ basis.T @ basis + mean
    found = blocks(vae.decode_more(vae.encode_more(video, None)[0], None, clamp=False)[0], 8, 4)
    assert (code - values).square().mean() < 1e-3
    # Latents pass a soft limit, and the decoder keeps fewer components of single frames.
    assert (found - values).square().mean() < 2e-3


def test_the_weights_of_another_autoencoder_fit_a_linear_function_of_its_latents():
    former = torch.randn(500, 3)
    turned = former @ torch.randn(3, 5) + 2
    assert torch.allclose(
        (former - former.mean(0)) @ fit(former, turned).T + turned.mean(0), turned, atol=1e-4
    )


def test_image_channels_begin_with_the_picture_and_stand_still_without_tracks():
    vae, picture = load_vae(None), torch.rand(3, 64, 96)
    points = torch.zeros(9, 0, 2)
    channels = image_channels(vae, picture, points, points[..., 0])
    still = vae.encode(picture.expand(1, 9, -1, -1, -1))[0]
    assert torch.equal(channels, still)
