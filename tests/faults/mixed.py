"""L1: everything that may happen to a box, its line, its broker and its platform, in one run."""
import time

import network
from catalogue import fault
from process import kill


def kill_gateway(case):
    kill(case)
    seconds = network.span(case, 0.01, 3)
    time.sleep(seconds)
    case.start()
    return f'killed, started {seconds:.2f} s later'


def stop_gateway(case):
    case.stop()
    case.start()
    return 'stopped and started'


def cut_and_kill(case):
    """What is stored of one run is sent by the next."""
    case.link.cut()
    time.sleep(network.span(case, 0.2, 5))
    kill_gateway(case)
    case.link.restore()
    return 'killed while it was offline'


def withhold_receipts(case):
    case.mute()
    seconds = network.span(case, 0.2, 8)
    time.sleep(seconds)
    case.speak()
    return f'no receipts for {seconds:.2f} s'


STRIKES = (kill_gateway, kill_gateway, stop_gateway, cut_and_kill, withhold_receipts, network.cut, network.slow,
           network.reset, network.freeze_broker, network.lose_broker, network.stop_platform,
           network.kill_platform)


@fault('L1', 'everything that may happen, mixed, up to twenty times', (3, 100, 1000))
def mixed(case):
    case.also(lambda: network.broker_back(case))
    network.repeated(case, lambda case: case.random.choice(STRIKES)(case), 20)
