public import ArgumentParser
public import Frames
public import Media

extension ImageFit: ExpressibleByArgument {}

extension OutputFormat: ExpressibleByArgument {}
