"""What happens to a box, in order: each step takes the Rig and returns what it saw, as text."""
import os
import pathlib
import re

import street  # first: it knows where the other folders are
import ca
from machine import HERE, elapsed
from rig import SITE, STATE
import procs

WATCHDOG_SECONDS = 6
STOPS = 3
RELOADS, RELOADS_OF_A_GUEST = 100, 20
CUTS, CUTS_OF_A_GUEST = 1, 3
NOT_FLUSHED = 1_000_000  # bytes


def boot(rig):
    _, seconds = elapsed(lambda: (rig.box.boot(), rig.platform.boot()))
    version = rig.box.run('systemctl', '--version').stdout.split()[1]
    kernel = rig.box.run('uname', '-mr').stdout.strip()
    return f'systemd {version} is PID 1 on both, the box has {kernel}, {seconds:.0f} s'


def install(rig):
    rig.box.run('dpkg', '-i', '/packages/smart-gateway.deb')
    rig.platform.run('dpkg', '-i', *[f'/packages/{name}.deb' for name in
                                     ('smart-gateway', 'smart-gateway-sim', 'smart-gateway-receiver')])
    state, result = rig.box.show('smart-gateway', 'ActiveState', 'ConditionResult')
    assert (state, result) == ('inactive', 'no'), f'without a site file the service is {state}'
    assert rig.platform.show('smart-receiver', 'ActiveState', 'UnitFileState') == ['inactive', 'disabled']
    enabled, = rig.box.show('smart-gateway', 'UnitFileState')
    assert enabled == 'enabled', enabled
    for command in ('smart-gateway profile find meter', 'bash -c "complete -p smart-gateway 2>&1 || '
                    '. /usr/share/bash-completion/completions/smart-gateway && complete -p smart-gateway"'):
        rig.box.run('sh', '-c', command)
    return 'no site file, so nothing runs and nothing failed; shipped profiles are found'


def store_in_memory(rig):
    """S29: a store where a power cut takes all is refused, and systemd does not try again."""
    rig.site(uplink=False, store='/run/smart-gateway/store')
    checked = rig.box.run('smart-gateway', 'check', check=False)
    assert checked.returncode == 78 and 'lies in memory' in checked.stdout, checked.stdout
    rig.box.run('systemctl', 'start', 'smart-gateway', check=False)
    restarts, status, state = rig.box.show('smart-gateway', 'NRestarts', 'ExecMainStatus', 'ActiveState')
    assert (restarts, status, state) == ('0', '78', 'failed'), (restarts, status, state)
    return 'check and run end with 78, not restarted: ' + checked.stdout.strip().split(': ', 2)[-1][:90]


def measure(rig):
    """Not connected to any platform yet: it measures and stores, and says so."""
    rig.platform.write(f'{street.SCENE_FOLDER}/meter.profile.toml', street.profile())
    rig.platform.write(f'{street.SCENE_FOLDER}/scene.toml', street.scene())
    rig.platform.run('systemd-run', '--unit=town', 'smart-gateway-sim', 'simulate',
                     f'{street.SCENE_FOLDER}/scene.toml')
    rig.site(uplink=False)
    rig.box.run('systemctl', 'reset-failed')
    _, seconds = elapsed(lambda: rig.box.run('systemctl', 'start', 'smart-gateway'))
    queued = procs.wait_for(lambda: (status := rig.status()) and status['queued_readings'] > 100 and
                            status, 60, 'readings in the store')
    assert not queued['ok'] and any('no platform' in text for text in queued['missing']), queued
    kept = rig.box.run('ls', f'{STATE}/store/1').stdout.split()
    assert 'outbox.db' in kept, kept
    journal = rig.box.run('journalctl', '--unit=smart-gateway', '--priority=info..info', '--output=cat').stdout
    assert re.search(r'^gateway started box=', journal, re.M), journal
    return (f'ready after {seconds:.1f} s; {queued["queued_readings"]} readings stored; '
            f'status: {queued["missing"][0]}')


def enrol(rig):
    """Over mutual TLS, with the broker's configuration and the access list that ship."""
    rig.secure_platform()
    rig.platform.run('systemctl', 'restart', 'mosquitto')
    rig.platform.run('systemctl', 'enable', '--now', 'smart-receiver')
    rig.site()
    rig.box.run('systemctl', 'reload', 'smart-gateway')
    wanted = procs.wait_for(lambda: (status := rig.status()) and
                            'smart-gateway enroll' in ' '.join(status['missing']) and status, 60,
                            'a box without a certificate is told what to do')['missing']
    said = rig.enroll()
    seconds = rig.wait_well(90)
    records = rig.judge()
    mode = rig.box.run('stat', '--format=%a %U', f'{STATE}/tls/1/key.pem').stdout.strip()
    assert mode == '600 smart-gateway', mode
    return (f'before: {wanted[0]} After: {said} status --wait ended with 0 after {seconds:.1f} s; '
            f'{len(records)} lines at the receiver, no gap')


def certificates(rig):
    """A bad certificate changes nothing; a good one replaces the old one without a gap."""
    pid, before = rig.main_pid(), rig.generation()
    stranger = ca.Authority(rig.folder / 'stranger', 'Another authority')
    rig.ask_for_certificate()
    rig.sign(stranger)
    refused = rig.install_certificate()
    assert refused.returncode != 0 and rig.generation() == before, refused.stdout
    rig.wait_well()
    said = rig.enroll()
    assert rig.generation() != before and rig.main_pid() == pid, rig.generation()
    rig.wait_well()
    rig.wait_readings()
    rig.judge()
    return f'by another authority: {refused.stdout.strip()[:160]}; by its own: {said}'


def rights(rig):
    """The control socket: mode 0660, for the group."""
    rig.box.run('useradd', '--create-home', '--groups', 'smart-gateway', 'technician')
    rig.box.run('useradd', 'stranger')
    mode = rig.box.run('stat', '--format=%A %U %G', '/run/smart-gateway/control.sock').stdout.strip()
    assert mode == 'srw-rw---- smart-gateway smart-gateway', mode
    rig.box.run('smart-gateway', 'status', user='technician')
    refused = rig.box.run('smart-gateway', 'status', user='stranger', check=False)
    assert refused.returncode == 2, refused.stdout
    for path in (STATE, '/run/smart-gateway/spool'):
        assert rig.box.run('ls', path, user='technician', check=False).returncode != 0, path
    return f'{mode}; a member of the group asks, others are refused, nobody reads the store'


def sandbox(rig):
    """S11: what the unit's sandbox denies, tried by a program in its place."""
    rig.box.write('/var/lib/other-unit/key', 'secret', 0o600)
    rig.box.write('/var/lib/smart-receiver/readings.jsonl', '{}', 0o640)
    rig.box.write('/usr/local/lib/probe.py', (HERE / 'probe.py').read_text())
    unit = rig.box.read('/lib/systemd/system/smart-gateway.service')
    unit = re.sub(r'^ExecStart=.*', 'ExecStart=/usr/bin/python3 -B /usr/local/lib/probe.py', unit, flags=re.M)
    unit = re.sub(r'^(Type|WatchdogSec|Restart\w*|ExecReload|NotifyAccess)=.*\n', '', unit, flags=re.M)
    unit = unit.replace('[Service]\n', '[Service]\nType=oneshot\nStandardOutput=file:/run/probe.out\n'
                        'StandardError=inherit\n')
    unit = unit.replace('Directory=smart-gateway\n', 'Directory=smart-gateway/probe\n', 1)
    unit = unit.replace('RuntimeDirectory=smart-gateway\n', 'RuntimeDirectory=smart-gateway-probe\n')
    rig.box.write('/run/systemd/system/probe.service', unit)
    rig.box.run('systemctl', 'daemon-reload')
    ended = rig.box.run('systemctl', 'start', 'probe', check=False).returncode
    said = rig.box.read('/run/probe.out').strip()
    assert ended == 0, said
    return said


def watchdog(rig):
    """P11: the loop hangs."""
    rig.box.write('/run/systemd/system/smart-gateway.service.d/watchdog.conf',
                  f'[Service]\nWatchdogSec={WATCHDOG_SECONDS}\n')
    rig.box.run('systemctl', 'daemon-reload')
    rig.box.run('systemctl', 'restart', 'smart-gateway')
    rig.wait_well()
    pid = rig.main_pid()
    rig.box.run('sh', '-c', f'kill -STOP {pid}')
    _, seconds = elapsed(lambda: rig.wait_restarted(pid, 60))
    rig.interrupted(2)
    assert seconds < WATCHDOG_SECONDS + 5 * procs.patience, f'{seconds:.1f} s'
    log = rig.box.run('journalctl', '--unit=smart-gateway', '--no-pager', '--lines=50').stdout
    assert 'Watchdog timeout' in log, log
    rig.wait_well()
    rig.judge()
    return f'stopped by SIGSTOP, started again after {seconds:.1f} s (WatchdogSec={WATCHDOG_SECONDS})'


def out_of_memory(rig):
    """P12: the kernel's OOM killer, by a memory limit around the process."""
    if rig.guest:
        return 'skipped: the limit is set from outside the box'
    group = pathlib.Path(f'/sys/fs/cgroup/memory/gateway-boot-{os.getpid()}')
    try:
        group.mkdir()
        (group / 'memory.limit_in_bytes').write_text('4M')
    except OSError as error:
        return f'skipped: no memory control group here: {error}'
    pid = rig.main_pid()
    outside = _pid_here(rig, pid)
    try:
        (group / 'cgroup.procs').write_text(str(outside))
        (group / 'memory.limit_in_bytes').write_text('64K')
        rig.box.run('systemctl', 'reload', 'smart-gateway', check=False)  # needs memory
        _, seconds = elapsed(lambda: rig.wait_restarted(pid, 30))
    finally:
        procs.wait_for(lambda: not (group / 'cgroup.procs').read_text().split(), 30, 'the process ended')
        group.rmdir()
    rig.interrupted()
    rig.wait_well()
    rig.judge()
    return f'started again after {seconds:.1f} s'


def _pid_here(rig, pid):
    """The number that a process of the box has in this process's view."""
    for status in pathlib.Path('/proc').glob('[0-9]*/status'):
        try:
            numbers = re.search(r'^NSpid:\t(.*)$', status.read_text(), re.M)[1].split()
            if numbers[-1] == str(pid) and len(numbers) > 1 and \
                    os.readlink(status.parent / 'exe').endswith('/smart-gateway'):
                return int(numbers[0])
        except OSError:
            continue
    raise LookupError(f'no process {pid} of the box')


def reload(rig):
    """S49: reload under load; every tenth one changes a device."""
    pid, reloads = rig.main_pid(), RELOADS_OF_A_GUEST if rig.guest else RELOADS
    for n in range(reloads // 10):
        rig.box.write(SITE, street.site().replace('id      = "meter-3"',
                                                  f'id      = "meter-3"\nname    = "Round {n}"'))
        rig.box.run('sh', '-ec', 'systemctl reload smart-gateway\n' * 10)
    rig.interrupted(reloads // 10 + 1)
    assert rig.main_pid() == pid, 'the service was started anew'
    rig.box.write(SITE, street.site() + 'surprise = 1\n')
    refused = rig.box.run('systemctl', 'reload', 'smart-gateway', check=False)
    assert refused.returncode != 0, 'a bad site file was taken'
    rig.site()
    rig.box.run('systemctl', 'reload', 'smart-gateway')
    rig.wait_well()
    rig.wait_readings()
    rig.judge()
    return f'{reloads} times by systemctl, the same process, no gap; a bad file is refused'


def clean_stop(rig):
    """P10: stopped under load, with the platform and without."""
    longest = 0
    for n in range(STOPS):
        if n == STOPS - 1:
            rig.platform.run('systemctl', 'stop', 'mosquitto')
        _, seconds = elapsed(lambda: rig.box.run('systemctl', 'stop', 'smart-gateway'))
        result, = rig.box.show('smart-gateway', 'Result')
        assert result == 'success' and seconds < 5 * procs.patience, f'{result} after {seconds:.1f} s'
        longest = max(longest, seconds)
        rig.interrupted()
        rig.box.run('systemctl', 'start', 'smart-gateway')
    rig.platform.run('systemctl', 'start', 'mosquitto')
    rig.wait_well(90)
    rig.judge()
    return f'{STOPS} times, once without a broker; at most {longest:.1f} s'


def power_cut(rig):
    """Power goes under load: what was not flushed to the box's disk is gone, and the box boots again."""
    if rig.no_disk:
        return f'skipped: {rig.no_disk}'
    said = []
    for _ in range(CUTS_OF_A_GUEST if rig.guest else CUTS):
        rig.platform.run('systemctl', 'stop', 'mosquitto')  # so that readings wait on the box
        before = len(rig.served().splitlines())
        procs.wait_for(lambda: len(rig.served().splitlines()) > before + 400, 60, 'readings that wait')
        rig.box.run('sh', '-c', f'head -c {NOT_FLUSHED} /dev/zero >{STATE}/not-flushed')
        rig.cut_power()
        rig.platform.run('systemctl', 'start', 'mosquitto')
        _, seconds = elapsed(rig.box.boot)
        well = rig.wait_well(90)
        kept = rig.box.run('sh', '-c', f'cat {STATE}/not-flushed 2>/dev/null | wc -c').stdout
        assert int(kept) < NOT_FLUSHED, 'this was no power cut: what was not flushed is there'
        # What an open batch held, and what was read while the disk was gone.
        rig.interrupted(street.INTERVAL_MS // street.POLL_MS + 20)
        records = rig.judge()
        said.append(f'booted in {seconds:.0f} s, well {well:.0f} s later, {len(records)} lines, no gap')
    return '; '.join(said)


def off_and_on(rig):
    """Switched off as it should be, and on again."""
    _, off = elapsed(rig.box.power_off)
    rig.interrupted()
    _, on = elapsed(rig.box.boot)
    well = rig.wait_well(90)
    rig.wait_readings()
    rig.judge()
    return f'off in {off:.0f} s, booted in {on:.0f} s, well {well:.0f} s later, no gap'


def upgrade(rig):
    """To the next release and back by one, over the live store."""
    said = []
    for version in (f'{rig.version}+next', f'{rig.version}~previous', rig.version):
        pid = rig.main_pid()
        rig.interrupted()
        name = 'smart-gateway' if version == rig.version else version
        rig.box.run('dpkg', '--force-confold', '-i', f'/packages/{name}.deb')
        have = rig.box.run('dpkg-query', '-W', '-f', '${Version}', 'smart-gateway').stdout
        assert have == version, have
        assert rig.main_pid() not in (0, pid), 'the new release does not run'
        rig.wait_well()
        rig.wait_readings()
        rig.judge()
        said.append(version)
    assert rig.box.read(SITE) == street.site(), 'the site file was changed'
    return ', '.join(said) + ': each runs on the same store and site file, no gap'


def dead_box(rig):
    """The box dies with readings that the platform has not; its card goes into another one, by the page
    "A dead box"."""
    rig.platform.run('systemctl', 'stop', 'mosquitto')
    queued = procs.wait_for(lambda: (status := rig.status()) and status['queued_readings'] > 200 and
                            status, 60, 'readings that wait')['queued_readings']
    rig.box.cut()
    rig.interrupted(street.INTERVAL_MS // street.POLL_MS + 2)
    rig.replace_box()
    rig.box.run('dpkg', '-i', '/packages/smart-gateway.deb')
    rig.box.run('useradd', '--create-home', 'technician')
    rig.platform.run('systemctl', 'start', 'mosquitto')
    rig.follow('dead-box.md', [('sudo cp', rig.use_card)])
    rig.box.run('systemctl', 'start', 'smart-gateway')
    rig.wait_well(90)
    rig.wait_readings()
    rig.judge()
    rig.box.run('smart-gateway', 'wipe', '--yes', '--path', '/mnt')
    rig.box.run('sh', '-ec', f'! test -e /mnt{STATE}/store && ! test -e /mnt{STATE}/tls')
    return (f'{queued} readings waited on its card; the spare box delivered them and goes on, no gap; '
            'the card is wiped')


def drained(rig):
    """All that was served has come, once."""
    rig.box.run('systemctl', 'stop', 'smart-gateway')
    rig.interrupted()
    rig.platform.run('systemctl', 'stop', 'town')
    rig.box.run('systemctl', 'start', 'smart-gateway')
    procs.wait_for(lambda: (status := rig.status()) and status['connected'] and
                   status['queued_readings'] < 30, 60, 'the store is empty')
    rig.box.run('systemctl', 'stop', 'smart-gateway')
    records = rig.judge(whole=True)
    rig.platform.run('systemctl', 'stop', 'smart-receiver')
    rig.platform.run('smart-receiver', 'check', '--state', '/var/lib/smart-receiver/state')
    readings = sum(record['line'] == 'reading' for record in records)
    return f'{readings} readings, none twice, no silent gap; smart-receiver check says complete'


def remove(rig):
    """Removed and purged with readings in the store: they stay."""
    rig.platform.run('systemctl', 'start', 'smart-receiver')
    rig.platform.run('systemd-run', '--unit=town', 'smart-gateway-sim', 'simulate',
                     f'{street.SCENE_FOLDER}/scene.toml')
    rig.platform.run('systemctl', 'stop', 'mosquitto')
    rig.box.run('systemctl', 'start', 'smart-gateway')
    procs.wait_for(lambda: (status := rig.status()) and status['queued_readings'] > 50, 60, 'readings')
    rig.box.run('dpkg', '--remove', 'smart-gateway')
    state, = rig.box.show('smart-gateway', 'ActiveState')
    assert state in ('inactive', 'failed'), state
    rig.box.run('test', '-f', SITE)
    rig.box.run('dpkg', '-i', '/packages/smart-gateway.deb')
    queued = procs.wait_for(lambda: (status := rig.status()) and status['queued_readings'] >= 50 and status,
                            60, 'the readings are there again')['queued_readings']
    rig.box.run('systemctl', 'stop', 'smart-gateway')
    before = _digest(rig)
    said = rig.box.run('dpkg', '--purge', 'smart-gateway').stdout
    assert 'stay; delete them by hand' in said, said
    assert rig.box.run('test', '-e', '/etc/smart-gateway', check=False).returncode != 0
    assert before and _digest(rig) == before, 'the store is not what it was'
    return f'{queued} readings are still there after removing, installing and purging'


def page(rig):
    """The page "Install on a box", literally, on a box that has its old readings."""
    rig.platform.run('systemctl', 'start', 'mosquitto')
    blocks = rig.follow('install.md', [('smart-gateway check', rig.site),
                                       ('smart-gateway enroll --certificate', rig.sign)])
    rig.judge()
    drop_in = '/etc/systemd/system/smart-gateway.service.d'
    rig.box.run('cp', '/usr/share/doc/smart-gateway/examples/gpio.conf', drop_in)
    rig.box.run('systemctl', 'daemon-reload')
    rig.box.run('systemctl', 'restart', 'smart-gateway')
    rig.wait_well()
    return (f'{blocks} blocks of commands, all end with 0; readings from before were delivered; '
            'gpio.conf works too')


def purge_platform(rig):
    for package in ('smart-gateway-receiver', 'smart-gateway-sim'):
        rig.platform.run('dpkg', '--purge', package)
    rig.platform.run('test', '-s', '/var/lib/smart-receiver/readings.jsonl')
    return 'the receiver and the simulator are purged; the readings that came stay'


def _digest(rig):
    return rig.box.run('sh', '-c', f'find {STATE}/store -type f | xargs -r sha256sum').stdout


STEPS = [('boot', boot), ('install', install), ('store in memory', store_in_memory),
         ('measure', measure), ('enrol', enrol), ('certificates', certificates), ('rights', rights), ('sandbox', sandbox),
         ('watchdog', watchdog), ('out of memory', out_of_memory), ('reload', reload),
         ('clean stop', clean_stop), ('power cut', power_cut), ('off and on', off_and_on), ('upgrade', upgrade), ('dead box', dead_box),
         ('drained', drained), ('remove', remove), ('page', page),
         ('purge platform', purge_platform)]
# Without these nothing that follows makes sense.
NEEDED = {'boot', 'install', 'measure', 'enrol'}
