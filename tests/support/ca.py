#!/usr/bin/env python3
"""A certificate authority for demonstrations and tests, made with the openssl program.

Its key lies in a folder of this machine and is not protected: it is nobody's real authority.
"""
import argparse
import datetime
import pathlib
import re
import subprocess
import sys

CONFIGURATION = '''[ca]
default_ca = authority
[authority]
dir              = {folder}
database         = $dir/index.txt
serial           = $dir/serial
new_certs_dir    = $dir/issued
certificate      = $dir/ca.crt
private_key      = $dir/ca.key
default_md       = sha256
default_crl_days = 3650
policy           = names
unique_subject   = no
[names]
commonName = supplied
[box]
basicConstraints = critical, CA:false
keyUsage         = critical, digitalSignature
extendedKeyUsage = clientAuth
[server]
basicConstraints = critical, CA:false
keyUsage         = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName   = {names}
'''
NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']


def openssl(*arguments):
    done = subprocess.run(['openssl', *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f'openssl {arguments[0]}: {done.stderr.strip()}')
    return done.stdout


def stamp(days):
    """The moment so many days from now, as `openssl ca` wants it."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return moment.strftime('%y%m%d%H%M%SZ')


class Authority:
    """ca.crt and ca.key in a folder, made when they are not there yet."""

    def __init__(self, folder, name='Test authority', days=3650):
        self.folder = pathlib.Path(folder).resolve()
        self.certificate = self.folder / 'ca.crt'
        if self.certificate.exists():
            return
        (self.folder / 'issued').mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        (self.folder / 'index.txt').touch()
        (self.folder / 'serial').write_text('1000\n')
        openssl('req', '-x509', *NEW_KEY, '-keyout', self.folder / 'ca.key', '-out',
                self.certificate, '-subj', f'/CN={name}', '-days', days)
        self.revocations()

    def sign(self, request, out, kind='box', names='', begin=-1, days=397):
        """Signs a request (file); valid from `begin` days from now on."""
        configuration = self.folder / 'openssl.cnf'
        configuration.write_text(CONFIGURATION.format(folder=self.folder, names=names or 'DNS:none'))
        openssl('ca', '-batch', '-notext', '-config', configuration, '-extensions', kind,
                '-startdate', stamp(begin), '-enddate', stamp(begin + days), '-in', request,
                '-out', out)
        return pathlib.Path(out)

    def issue(self, name, folder=None, **options):
        """Key, request and certificate of somebody who makes none: NAME.key, .csr, .crt."""
        base = pathlib.Path(folder or self.folder) / name
        key, request = (base.with_name(f'{name}.{end}') for end in ('key', 'csr'))
        openssl('req', *NEW_KEY, '-keyout', key, '-out', request, '-subj', f'/CN={name}')
        key.chmod(0o600)
        return self.sign(request, base.with_name(f'{name}.crt'), **options)

    def revoke(self, certificate):
        openssl('ca', '-config', self.folder / 'openssl.cnf', '-revoke', certificate)
        return self.revocations()

    def revocations(self):
        """The list of revoked certificates, as a broker reads it (crlfile)."""
        configuration = self.folder / 'openssl.cnf'
        configuration.write_text(CONFIGURATION.format(folder=self.folder, names='DNS:none'))
        openssl('ca', '-config', configuration, '-gencrl', '-out', self.folder / 'ca.crl')
        return self.folder / 'ca.crl'


def alternative(name):
    numeric = re.fullmatch(r'[0-9.]+|[0-9a-f:]*:[0-9a-f:]*', name)
    return ('IP:' if numeric else 'DNS:') + name


def main():
    parser = argparse.ArgumentParser(prog='./dev ca', description=__doc__.splitlines()[0])
    parser.add_argument('--folder', default='build/ca', help='where the authority lives')
    actions = parser.add_subparsers(dest='action', required=True)
    sign = actions.add_parser('sign', help='sign the request that smart-gateway enroll printed')
    sign.add_argument('request')
    sign.add_argument('out')
    sign.add_argument('--days', type=int, default=397)
    server = actions.add_parser('server', help='key and certificate of a broker: NAME.key, NAME.crt')
    server.add_argument('names', nargs='+', help='names and addresses that boxes connect to')
    client = actions.add_parser('client', help='key and certificate of a client, as the receiver')
    client.add_argument('name')
    revoke = actions.add_parser('revoke', help='revoke a certificate and write ca.crl')
    revoke.add_argument('certificate')
    actions.add_parser('init', help='only make the authority')
    given = parser.parse_args()
    authority = Authority(given.folder)
    made = authority.certificate
    if given.action == 'sign':
        made = authority.sign(given.request, given.out, days=given.days)
    elif given.action == 'server':
        made = authority.issue(given.names[0], kind='server',
                               names=','.join(map(alternative, given.names)))
    elif given.action == 'client':
        made = authority.issue(given.name)
    elif given.action == 'revoke':
        made = authority.revoke(given.certificate)
    print(made)


if __name__ == '__main__':
    try:
        main()
    except RuntimeError as error:
        sys.exit(f'ca: {error}')
