public import ArgumentParser
public import Frames
public import Media
public import Tracks

extension ImageFit: ExpressibleByArgument {}

extension OutputFormat: ExpressibleByArgument {}

extension TrackFormat: ExpressibleByArgument {}
