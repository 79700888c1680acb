/// The few-step flow-matching schedule (Self-Forcing's training scheduler).
///
/// x_t = (1 - sigma) x_0 + sigma noise. With prediction `velocity` the network gives v = noise - x_0,
/// so that x_0 = x_t - sigma v; with `residual` it gives x_0 less the image channels.
package struct FlowMatchSchedule: Sendable, Equatable {
  /// One denoising step.
  package struct Step: Sendable, Equatable {
    /// What the network is told.
    package let timestep: Double
    /// The noise level.
    package let sigma: Double
  }

  /// The steps, highest noise first.
  package let steps: [Step]
  /// The timestep of the pass that writes the cache.
  package let commitTimestep: Double

  /// The schedule of a model, cut to its first `count` steps.
  package init(_ rules: MotionStreamManifest.Sampler, steps count: Int? = nil) {
    let train = Double(rules.trainTimesteps)
    // A warped list reads an unshifted step off the shifted table: 750 of 1000 at shift 5 is 937.5.
    steps = rules.timesteps.prefix(count ?? rules.timesteps.count).map { listed in
      let timestep =
        rules.warp
        ? train * FlowMatchSchedule.shifted(listed / train, by: rules.shift) : listed
      return Step(timestep: timestep, sigma: FlowMatchSchedule.sigma(timestep, rules))
    }
    commitTimestep = rules.commitTimestep
  }

  /// s u / (1 + (s - 1) u) for u in 0...1: more time at high noise.
  package static func shifted(_ u: Double, by shift: Double) -> Double {
    shift * u / (1 + (shift - 1) * u)
  }

  /// The noise level of the table's entry nearest to a timestep, the earlier of two equally near.
  /// The table holds the shifted u = 1 - i / train_timesteps.
  private static func sigma(_ timestep: Double, _ rules: MotionStreamManifest.Sampler) -> Double {
    let train = Double(rules.trainTimesteps)
    var nearest = 1.0
    var distance = Double.infinity
    for i in 0..<rules.trainTimesteps {
      let sigma = shifted(1 - Double(i) / train, by: rules.shift)
      if abs(train * sigma - timestep) < distance {
        distance = abs(train * sigma - timestep)
        nearest = sigma
      }
    }
    return nearest
  }
}
