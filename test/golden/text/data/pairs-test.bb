jol ba unseenbri pal mon vig ba
ters
vig ters
yar rez unseenïk pal
iss sok unseenïk kade ïk yar ïk hund
jol ba unseenmon nip so tami
ba wop
sok ula unseenïk ïk yar mon dato
mon kade unseenmon jol bri
aka elum unseenmon vig ters mon dato dorn
pal
vig ters
iss he unseenula
larin yar unseenïk rez pal vig ba ters nip
