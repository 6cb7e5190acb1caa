"""The record of a benchmark: one JSON that says what was measured, where, and what is missing.

docs/benchmark.md, section 3, explains it field by field. Words are those of OpenVINO's
`benchmark_app` where it has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sakedge.benchmarking.latency import Latency

FORMAT = "sakedge benchmark"
VERSION: Literal[1] = 1

_Text = Annotated[str, Field(max_length=4096)]
_Name = Annotated[str, Field(max_length=256)]
_Positive = Annotated[float, Field(gt=0)]
_Least = Annotated[float, Field(ge=0)]
_Count = Annotated[int, Field(ge=0)]
Samples = Annotated[tuple[_Positive, ...], Field(max_length=1_000_000, fail_fast=True)]
"""Milliseconds, in the order in which they were measured."""


class Strict(BaseModel):
    """A part of the record: no field that it does not name, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Processors(Strict):
    """Processors of the machine, those that affinity allows, those that a cgroup's quota grants."""

    machine: int
    affinity: int
    quota: float | None
    usable: int


class Device(Strict):
    """The machine: no serial number, no name."""

    board: _Name | None
    cpu: _Name
    features: tuple[_Name, ...]
    processors: Processors
    virtual: bool | None
    memory_bytes: int | None
    system: _Name
    jetson_release: _Name | None


class PowerMode(Strict):
    """What decides about clocks and watts."""

    nvpmodel: _Name | None
    platform_profile: _Name | None
    cpu_governor: _Name | None
    cpu_driver: _Name | None
    energy_performance_preference: _Name | None
    turbo: bool | None


class Clocks(Strict):
    """MHz over all processors, and the most that is allowed now."""

    mean: float
    least: float
    most: float
    limit: float | None


class State(Strict):
    """The machine at one moment."""

    cpu_mhz: Clocks | None
    temperatures_c: Mapping[_Name, float] | None
    throttle_events: _Count | None
    load_average: _Least | None

    @property
    def hottest_c(self) -> float | None:
        """The highest temperature."""
        return max((self.temperatures_c or {}).values(), default=None)


class Energy(Strict):
    """Joules by counter while images were computed one after the other.

    `covers` says what the sum is of that the figures per image are made of.
    """

    seconds: _Positive
    images: int
    joules: Mapping[_Name, float]
    covers: _Name | None
    watts: float | None
    joules_per_image: float | None


class Memory(Strict):
    """Bytes of a process: after loading, at its peak, and the peak of its own anonymous memory."""

    loaded: int | None
    peak: int | None
    own: int | None


class Caller(Strict):
    """Calls of one of several callers, in order."""

    samples_ms: Samples = Field(min_length=1)


class StreamsRun(Strict):
    """Some callers at once, each calling as soon as it has its result.

    `others_cpu` is how many processors, of those that this process may use, others used meanwhile;
    `waiting_threads` how many threads of this process were ready and had none; `delayed` the
    largest share of the time that others can have cost.
    """

    streams: Annotated[int, Field(ge=1)]
    seconds: _Positive
    images: Annotated[int, Field(ge=1)]
    cpu_ms_per_image: _Least
    others_cpu: _Least | None
    waiting_threads: _Least | None
    delayed: Annotated[float, Field(ge=0, le=1)] | None
    callers: tuple[Caller, ...]

    @model_validator(mode="after")
    def _check_callers(self) -> StreamsRun:
        if len(self.callers) != self.streams:
            raise ValueError(f"callers: {len(self.callers)} of {self.streams}")
        return self


class PauseRun(Strict):
    """Calls that each came after a pause, and the median of each stage."""

    pause_s: _Least
    samples_ms: Samples = Field(min_length=1)
    stages_ms: Mapping[_Name, float]


class Round(Strict):
    """What one fresh process measured."""

    read_model_ms: _Least
    compile_model_ms: _Least
    decoder_ms: _Least
    first_inference_ms: _Positive
    stages_ms: Mapping[_Name, float]
    memory: Memory
    before: State
    after: State
    streams: tuple[StreamsRun, ...]
    pauses: tuple[PauseRun, ...]
    energy: Energy | None


class Options(Strict):
    """How it was measured."""

    batch: int
    streams: Annotated[tuple[int, ...], Field(min_length=1)]
    intervals_s: tuple[float, ...]
    rounds: int
    iterations: int | None
    duration_s: float
    warmup: int
    images: int
    soak_minutes: float | None


class StreamsResult(Strict):
    """All rounds of one number of callers."""

    streams: int
    throughput: _Positive
    latency_ms: Latency
    latency_per_stream_ms: tuple[_Positive, ...]


class Ratio(Strict):
    """Something over something else, with the interval of the ratio."""

    value: _Positive
    low: _Positive
    high: _Positive


class PauseResult(Strict):
    """All rounds of one pause, and the latency over that of back-to-back calls."""

    pause_s: float
    latency_ms: Latency
    stages_ms: Mapping[_Name, float]
    ratio: Ratio | None


class Drift(Strict):
    """From the first look at the machine to the last."""

    cpu_mhz_percent: float | None
    hottest_before_c: float | None
    hottest_after_c: float | None
    throttle_events: int | None


class EnergyResult(Strict):
    """Watts and joules of an image, and watts when nothing ran."""

    covers: _Name
    watts: float
    idle_watts: float | None
    joules_per_image: float


class Results(Strict):
    """What the rounds give together."""

    total_number_of_iterations: int
    total_execution_time_ms: float
    latency_ms: Latency
    throughput: _Positive
    stages_ms: Mapping[_Name, float]
    read_model_ms: float
    compile_model_ms: float
    decoder_ms: float
    first_inference_ms: float
    memory: Memory
    streams: tuple[StreamsResult, ...]
    pauses: tuple[PauseResult, ...]
    energy: EnergyResult | None
    drift: Drift


class Window(Strict):
    """A stretch of a soak."""

    start_s: _Least
    seconds: _Positive
    images: int
    latency_ms: Latency
    throughput: _Positive
    resident_bytes: int | None
    state: State
    watts: float | None
    delayed: Annotated[float, Field(ge=0, le=1)] | None


class Slope(Strict):
    """Change an hour in per cent of the first windows' level, and over the soak as a whole."""

    percent_per_hour: float
    low: float
    high: float
    percent_in_all: float
    sure: bool


class Soak(Strict):
    """A long run in windows, and what it says."""

    asked_minutes: float
    measured_minutes: float
    interrupted: bool
    windows: Annotated[tuple[Window, ...], Field(min_length=1, max_length=10_000)]
    settled_from: int
    throughput: Slope | None
    latency: Slope | None
    memory: Slope | None
    verdict: tuple[_Text, ...]
    steady: bool | None


class Software(Strict):
    """Versions, and of what was installed from wheels the digest of their contents."""

    versions: Mapping[_Name, _Name]
    wheels: Mapping[_Name, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]


class Environment(Strict):
    """What else bears on a time: load before, priority, and variables that change behaviour."""

    load_average_before: _Least | None
    niceness: int | None
    autogroup_niceness: int | None
    variables: Mapping[_Name, _Text]


class Identity(Strict):
    """Only with `--identify`."""

    host: _Name
    user: _Name
    student_path: _Text


class _Student(BaseModel):
    """What is relied on of `student.explain()`; there is more."""

    path: _Text
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    input_size: tuple[int, int]
    tasks: tuple[_Text, ...]
    adapters: tuple[_Text, ...]
    model: _Text
    backend: _Text
    backend_reason: _Text
    precision: _Text
    stem_precision: _Text
    threads: int
    isa: _Text


class Record(Strict):
    """All of it.

    `results`, and the verdict of `soak`, follow from the rest: whoever reads a record makes them
    again (`reading.py`).
    """

    format: Literal["sakedge benchmark"] = "sakedge benchmark"
    format_version: Literal[1] = VERSION
    taken: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$")]
    identity: Identity | None
    device: Device
    power_mode: PowerMode
    environment: Environment
    software: Software
    student: Mapping[_Name, Any]
    options: Options
    rounds: Annotated[tuple[Round, ...], Field(max_length=1000)]
    results: Results | None
    soak: Soak | None
    tegrastats: Mapping[_Name, Mapping[_Name, float]] | None
    missing: Mapping[_Name, _Text]

    @model_validator(mode="after")
    def _check_parts(self) -> Record:
        try:
            _Student.model_validate(dict(self.student))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ValueError(f"student.{place}: {first['msg']}") from None
        if self.rounds and len(self.rounds) != self.options.rounds:
            raise ValueError(f"rounds: {len(self.rounds)} of {self.options.rounds}")
        for each in self.rounds:
            if tuple(run.streams for run in each.streams) != self.options.streams:
                raise ValueError("streams of a round are others than those of the options")
            if tuple(run.pause_s for run in each.pauses) != self.options.intervals_s:
                raise ValueError("pauses of a round are others than those of the options")
            if set(each.stages_ms) != set(self.rounds[0].stages_ms):
                raise ValueError("stages of a round are others than those of the first")
        return self

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return self.model_dump(mode="json")
