"""A device of lines that knows none of our code: answers what it is asked, as its maker's page says.

Run as `line_device.py rg15` it speaks on standard input and output, so that socat can put it on a TCP
port or on a pseudo terminal.
"""
import os
import sys

RG15 = b'Acc  0.01 mm, EventAcc  1.50 mm, TotalAcc 123.45 mm, RInt  3.20 mmph\r\n'
ANSWERS = {
    'rg15': {b'R\n': b'; comment\r\n' + RG15, b'A\n': b'Acc  0.01 mm\r\n'},
    'wxt530': {b'0R1\r\n': b'0R1,Dn=236D,Dm=283D,Dx=031D,Sn=0.0M,Sm=1.0M,Sx=2.2M\r\n',
               b'0R2\r\n': b'0R2,Ta=-3.6C,Ua=14.2P,Pa=1026.6H\r\n',
               b'0R3\r\n': b'0R3,Rc=0.10M,Rd=2380s,Ri=0.0M,Hc=0.0M,Hd=0s,Hi=0.0M\r\n',
               b'0R5\r\n': b'0R5,Th=25.9C,Vh=12.0#,Vs=15.2V,Vr=3.475V\r\n'},
}


def main():
    answers, heard = ANSWERS[sys.argv[1]], b''
    if sys.argv[1] == 'rg15':
        os.write(1, b'RG-15 1.000 of 2020\r\nReset N\r\n')
    while data := os.read(0, 256):
        heard += data
        for request, answer in answers.items():
            if heard.endswith(request):
                os.write(1, answer)
                heard = b''


main()
